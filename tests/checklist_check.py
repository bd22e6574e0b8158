#!/usr/bin/env python3
"""tests/README.md names tests for each line of the protocols' checklist: every line must be there and every named test must exist; what is
not built yet says `not yet` instead.

Prints what is missing, then `N passed, N failed` (one test a line of the checklist).
"""

import pathlib
import re
import sys

TESTS = pathlib.Path(__file__).resolve().parent
LINES = [f"E{n}" for n in range(1, 19)] + [f"S{n}" for n in range(1, 12)] + [f"F{n}" for n in range(1, 22)]


def unit_tests():
    names = set()
    for file in (TESTS.parent / "src").rglob("*_test.cpp"):
        names.update(f"{suite}.{name}" for suite, name in re.findall(r"^TEST(?:_F|_P)?\(\s*(\w+),\s*(\w+)\)", file.read_text(), re.M))
    return names


def outside_tests(file):
    """The names in tests/<file>.test.mjs or tests/<file>_test.py."""
    script, python = TESTS / f"{file}.test.mjs", TESTS / f"{file}_test.py"
    names = set()
    if script.is_file():
        names.update(name.replace("\\'", "'") for _, name in re.findall(r"\btest\((['`])((?:\\.|(?!\1).)*)\1", script.read_text()))
    if python.is_file():
        names.update(re.findall(r"^\s*def (test_\w+)", python.read_text(), re.M))
    return names


def main():
    units, outside = unit_tests(), {}
    rows = dict(re.findall(r"^\| ([EFS]\d+) \|.*\| ([^|]*) \|$", (TESTS / "README.md").read_text(), re.M))
    failed = 0
    for line in [*LINES, *sorted(rows.keys() - set(LINES))]:
        faults = []
        named = re.findall(r"`([^`]+)`", rows.get(line, ""))
        if line not in LINES:
            faults.append("not known to checklist_check.py")
        if not named and rows.get(line) != "not yet":
            faults.append("names no test")
        for name in named:
            file, parted, title = name.partition(": ")
            if parted:
                found = title in outside.setdefault(file, outside_tests(file))
            else:
                found = name in units
            if not found:
                faults.append(f"there is no test {name}")
        for fault in faults:
            print(f"tests/README.md: {line}: {fault}")
        failed += bool(faults)
    print(f"{len(LINES) - failed} passed, {failed} failed")
    sys.exit(failed != 0)


if __name__ == "__main__":
    main()
