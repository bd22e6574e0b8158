#!/usr/bin/env python3
"""The arrows between the modules (ARCHITECTURE.md), checked on every #include of src/ and include/.

Usage: layers_check.py            checks this repository
       layers_check.py --self-test  shows on made-up trees that each kind of violation is found

Prints each violation as path:line, then `N passed, N failed` (one test a file, or one a self-test case).
"""

import pathlib
import re
import sys
import tempfile

# Module → the modules it may include besides itself. A module is a folder; the longest match owns a file. What is not named
# here may not exist: a new folder gets its line first.
ARROWS = {
    "base": [],
    "engineio": ["base"],
    "socketio": ["base", "engineio"],
    "http": ["base"],
    "http/codec": ["base", "http"],
    "runtime": ["base"],
    "http/server": ["base", "http", "runtime"],
    "http/api": ["base", "http", "http/codec", "http/server", "runtime"],
    "web": ["base", "runtime", "http", "http/server"],
    "engineio/server": ["base", "engineio", "runtime", "http", "http/server"],
    "socketio/server": ["base", "engineio", "engineio/server", "socketio", "runtime", "http", "http/server"],
    "socketio/redis": ["base", "socketio", "socketio/server", "runtime"],
    # The echo server of the protocols' own suites: a user of the libraries, like a stranger's program.
    "conformance": ["*"],
    # chat: model <- rules <- store <- service <- api <- app. chat/model* and chat/rules* lie directly in chat/ and are pure.
    "chat": ["base"],
    "chat/search": ["base", "chat"],
    "chat/store": ["base", "runtime", "chat", "chat/search"],
    "chat/store/sqlite": ["base", "runtime", "chat", "chat/store", "chat/search"],
    "chat/store/mongo": ["base", "runtime", "chat", "chat/store", "chat/search"],
    "chat/auth": ["base", "runtime", "chat", "chat/store"],
    "chat/media": ["base", "runtime", "chat", "chat/store", "chat/store/mongo", "http", "http/server"],
    "chat/migrate": ["base", "chat", "chat/store", "chat/store/mongo"],
    "chat/service": ["base", "runtime", "chat", "chat/store", "chat/auth", "chat/media"],
    "chat/api": ["base", "runtime", "http", "http/codec", "http/api", "http/server", "engineio", "engineio/server", "socketio",
                 "socketio/server", "chat", "chat/search", "chat/store", "chat/auth", "chat/media", "chat/service"],
    "chat/app": ["*"],
}

# Public headers of include/, each a part of the module whose sources implement it: folders, and files that go elsewhere.
PUBLIC = {"payam/sio": "socketio/server"}
PUBLIC_FILES = {f"payam/sio/{name}.hpp": "socketio" for name in ("json", "options", "target")}

# No Asio, no sockets, no threads, no clock: `now` is a parameter.
PURE = {"engineio", "socketio", "http", "http/codec", "chat", "chat/search"}
IMPURE_HEADER = re.compile(
    r"boost/(asio|beast)|sys/(socket|epoll|uio|eventfd|timerfd|stat|mman)\.h|netinet/|arpa/|netdb\.h|unistd\.h|poll\.h|fcntl\.h"
    r"|time\.h|ctime|thread|mutex|condition_variable|future|fstream|filesystem$")
CLOCK = re.compile(r"\b(steady_clock|system_clock|high_resolution_clock)::now\b|\b(steady_now|wall_now|gettimeofday|clock_gettime|time)\s*\(\s*(?:\)|NULL|nullptr|0\))")

INCLUDE = re.compile(r'^\s*#\s*include\s*(["<])([^">]+)[">]')
COMMENT = re.compile(r"//.*$")


def module_of(path):
    """'engineio/server/server.hpp' → 'engineio/server'; None if no module owns it."""
    if path in PUBLIC_FILES:
        return PUBLIC_FILES[path]
    parts = path.split("/")[:-1]
    while parts:
        name = "/".join(parts)
        if name in ARROWS or name in PUBLIC:
            return PUBLIC.get(name, name)
        parts.pop()
    return None


def violations(root):
    """Yields (path, line number, what) for each, and (path, 0, None) for each file looked at."""
    folders = [root / "src", root / "include"]
    files = [(folder, file) for folder in folders for file in sorted(folder.rglob("*")) if file.suffix in {".hpp", ".cpp"}]
    for folder, file in files:
        path = file.relative_to(folder).as_posix()
        yield path, 0, None
        module = module_of(path)
        if module is None:
            yield path, 1, "lies in no module: name its folder in tests/layers_check.py"
            continue
        is_test = path.endswith(("_test.cpp", "_bench.cpp")) or "/testing/" in path
        for number, line in enumerate(file.read_text(encoding="utf-8").splitlines(), 1):
            include = INCLUDE.match(line)
            if include:
                target = include.group(2)
                other = module_of(target) if include.group(1) == '"' or any((each / target).exists() for each in folders) else None
                if include.group(1) == '"' and other is None:
                    yield path, number, f'"{target}" belongs to no module; include by full path from src/'
                elif other and other != module and not is_test and "*" not in ARROWS[module] and other not in ARROWS[module]:
                    yield path, number, f"{module} must not include {other} ({target})"
                elif module in PURE and not is_test and include.group(1) == "<" and IMPURE_HEADER.match(target):
                    yield path, number, f"{module} is pure and must not include <{target}>"
            elif module in PURE and not is_test and CLOCK.search(COMMENT.sub("", line)):
                yield path, number, f"{module} is pure and must not ask a clock: take `now` as a parameter"


def check(root):
    files, found = set(), []
    for path, line, what in violations(root):
        files.add(path)
        if what:
            found.append((path, line, what))
    return files, found


CASES = [  # file, its text, what must be said ('' = nothing)
    ("engineio/packet.cpp", '#include "base/utf8.hpp"\n', ""),
    ("chat/app/main.cpp", '#include "socketio/server/server.hpp"\n', ""),
    ("base/utf8.cpp", '#include "runtime/shard.hpp"\n', "base must not include runtime"),
    ("engineio/session.cpp", '#include "chat/model.hpp"\n', "engineio must not include chat"),
    ("socketio/server/socket.cpp", '#include "http/codec/codec.hpp"\n', "socketio/server must not include http/codec"),
    ("engineio/session.cpp", '#include "engineio/server/server.hpp"\n', "engineio must not include engineio/server"),
    ("chat/service/rooms.cpp", '#include "chat/api/rest.hpp"\n', "chat/service must not include chat/api"),
    ("chat/service/rooms.cpp", '#include "chat/store/sqlite/store.hpp"\n', "chat/service must not include chat/store/sqlite"),
    ("socketio/packet.hpp", '#include "payam/sio/options.hpp"\n', ""),
    ("socketio/packet.hpp", '#include "payam/sio/socket.hpp"\n', "socketio must not include socketio/server"),
    ("engineio/packet.hpp", '#include "payam/sio/json.hpp"\n', "engineio must not include socketio"),
    ("socketio/packet.hpp", "#include <boost/asio/io_context.hpp>\n", "must not include <boost/asio/io_context.hpp>"),
    ("http/range.cpp", "#include <sys/socket.h>\n", "must not include <sys/socket.h>"),
    ("engineio/session.cpp", "auto now = std::chrono::steady_clock::now();\n", "must not ask a clock"),
    ("engineio/session.cpp", "auto now = steady_now();\n", "must not ask a clock"),
    ("engineio/session.cpp", "// never calls steady_now()\n#include <chrono>\n", ""),
    ("engineio/session_test.cpp", '#include "runtime/shard.hpp"\n', ""),
    ("plugins/x.cpp", "int x;\n", "lies in no module"),
    ("chat/rules.cpp", '#include "rules.hpp"\n', "include by full path"),
]


def self_test():
    failed = 0
    for path, text, expected in CASES:
        with tempfile.TemporaryDirectory() as folder:
            file = pathlib.Path(folder, "src", path)
            file.parent.mkdir(parents=True)
            file.write_text(text, encoding="utf-8")
            said = [what for _, _, what in check(pathlib.Path(folder))[1]]
        good = (not said) if not expected else len(said) == 1 and expected in said[0]
        if not good:
            failed += 1
            print(f"{path}: expected {expected!r}, said {said!r}")
    return len(CASES) - failed, failed


def main():
    if sys.argv[1:] == ["--self-test"]:
        passed, failed = self_test()
    else:
        files, found = check(pathlib.Path(__file__).resolve().parent.parent)
        for path, line, what in found:
            print(f"{path}:{line}: {what}")
        failed = len({path for path, _, _ in found})
        passed = len(files) - failed
        if not files:
            sys.exit("no source files found")
    print(f"{passed} passed, {failed} failed")
    sys.exit(failed != 0)


if __name__ == "__main__":
    main()
