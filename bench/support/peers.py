"""The servers that are compared: how each is installed, built and started. Everything goes to build/bench, nothing into the tree."""

import contextlib
import dataclasses
import os
import pathlib
import re
import resource
import shutil
import socket
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
SOURCES = ROOT / "bench" / "peers"
WORK = ROOT / "build" / "bench"
RELEASE = ROOT / "build" / "release"


@dataclasses.dataclass(frozen=True)
class Peer:
    name: str
    title: str
    command: tuple
    lacks: frozenset = frozenset()  # of "polling", "binary", "deflate", "idle-cap"
    environment: tuple = ()


def quietly(command, **options):
    """Runs a command; shows what it wrote only if it fails."""
    done = subprocess.run([str(part) for part in command], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, **options)
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(map(str, command))}\n{done.stdout[-4000:]}")
    return done.stdout


def build_ours(*targets):
    quietly([ROOT / "tools" / "build", "release", *targets], cwd=ROOT)


def _copy(name):
    """A copy of the peer's sources, so that installing leaves the tree alone."""
    folder = WORK / name
    folder.mkdir(parents=True, exist_ok=True)
    shutil.copytree(SOURCES / name, folder, dirs_exist_ok=True)
    return folder


def _install_payam():
    build_ours("bench-payam")
    return Peer("payam", f"Payam {_payam_version()}", (RELEASE / "bench-payam",))


def _payam_version():
    return re.search(r"VERSION (\S+)", (ROOT / "CMakeLists.txt").read_text().split("project(")[1])[1]


def _install_raw():
    build_ours("bench-raw")
    return Peer("raw", "raw epoll (bound)", (RELEASE / "bench-raw",), frozenset({"polling", "deflate"}))


def _install_node():
    folder = _copy("node")
    quietly(["npm", "install", "--no-audit", "--no-fund", "--loglevel=error"], cwd=folder)
    node = quietly(["node", "--version"]).strip().lstrip("v")
    version = re.search(r'"version": "([^"]+)"', (folder / "node_modules/socket.io/package.json").read_text())[1]
    return Peer("node", f"socket.io {version}, Node {node}", ("node", folder / "server.js"))


def _install_python():
    folder = _copy("python")
    python = folder / "venv" / "bin" / "python"
    if not python.exists():
        quietly([sys.executable, "-m", "venv", folder / "venv"])
    quietly([python, "-m", "pip", "install", "-q", "-r", folder / "requirements.txt"])
    versions = dict(line.split("==") for line in quietly([python, "-m", "pip", "freeze"]).split() if "==" in line)
    title = f"python-socketio {versions['python-socketio']}, uvicorn {versions['uvicorn']}, FastAPI {versions['fastapi']}"
    return Peer("python", title, (python, folder / "server.py"))


def _install_socketioxide():
    folder = _copy("socketioxide")
    quietly(["cargo", "build", "--release", "--quiet"], cwd=folder, env={**os.environ, "CARGO_TARGET_DIR": str(folder / "target")})
    version = re.search(r'name = "socketioxide"\nversion = "([^"]+)"', (folder / "Cargo.lock").read_text())[1]
    return Peer("socketioxide", f"socketioxide {version}, 2 workers", (folder / "target/release/bench-socketioxide",),
                frozenset({"deflate"}))


def _install_go():
    folder = _copy("go")
    quietly(["go", "mod", "tidy"], cwd=folder)
    quietly(["go", "build", "-o", "server", "."], cwd=folder)
    version = re.search(r"servers/socket/v3 v(\S+)", (folder / "go.mod").read_text())[1]
    go = quietly(["go", "version"]).split()[2].removeprefix("go")
    return Peer("go", f"zishang520/socket.io {version}, Go {go}", (folder / "server",))


_INSTALLERS = {"payam": _install_payam, "raw": _install_raw, "socketioxide": _install_socketioxide, "node": _install_node,
               "go": _install_go, "python": _install_python}
NAMES = tuple(_INSTALLERS)


def install(names):
    """The peers that could be installed; why another could not is said on stderr and does not stop the rest."""
    peers, missing = [], {}
    for name in names:
        print(f"installing {name}", file=sys.stderr)
        try:
            peers.append(_INSTALLERS[name]())
        except (RuntimeError, OSError) as error:
            print(f"{name} cannot be installed: {error}", file=sys.stderr)
            missing[name] = str(error).splitlines()[0]
    return peers, missing


def raise_file_limit():
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def _free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@contextlib.contextmanager
def running(peer, **environment):
    """Starts the server and waits until it accepts; gives (process, port). Stops it at the end, by its process id."""
    port = _free_port()
    with open(WORK / f"{peer.name}.log", "ab") as log:
        process = subprocess.Popen([str(part) for part in peer.command], stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                   preexec_fn=raise_file_limit,
                                   env={**os.environ, **dict(peer.environment), "PORT": str(port), **environment})
    try:
        for _ in range(300):
            with contextlib.suppress(OSError):
                socket.create_connection(("127.0.0.1", port), 1).close()
                break
            if process.poll() is not None:
                raise RuntimeError(f"{peer.name} ended while starting, see {WORK / (peer.name + '.log')}")
            time.sleep(0.05)
        else:
            raise RuntimeError(f"{peer.name} does not listen")
        yield process, port
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
