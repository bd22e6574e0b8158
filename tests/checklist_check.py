#!/usr/bin/env python3
"""tests/README.md names tests for each line of the protocols' checklist, tests/contract.md for each promise of the server: every line must be there
and every named test must exist; what is not built yet says `not yet` instead.

Prints what is missing, then `N passed, N failed` (one test a line).
"""

import pathlib
import re
import sys

TESTS = pathlib.Path(__file__).resolve().parent
# How many lines each part of a page has.
PAGES = {"README.md": {"E": 18, "S": 11, "F": 21}, "contract.md": {"H": 17, "A": 29, "C": 29, "M": 13, "R": 16, "P": 5}}


def unit_tests():
    names = set()
    for pattern in ("*_test.cpp", "*_contract.cpp"):
        for file in (TESTS.parent / "src").rglob(pattern):
            names.update(f"{suite}.{name}" for suite, name in re.findall(r"^(?:TYPED_)?TEST(?:_F|_P)?\(\s*(\w+),\s*(\w+)\)", file.read_text(), re.M))
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


def faults_of(line, cell, units, outside):
    named = re.findall(r"`([^`]+)`", cell)
    if not named and cell != "not yet":
        yield "names no test"
    for name in named:
        file, parted, title = name.partition(": ")
        if parted:
            found = title in outside.setdefault(file, outside_tests(file))
        else:
            found = name in units
        if not found:
            yield f"there is no test {name}"


def main():
    units, outside = unit_tests(), {}
    passed = failed = 0
    for page, parts in PAGES.items():
        lines = [f"{letter}{number}" for letter, count in parts.items() for number in range(1, count + 1)]
        rows = dict(re.findall(r"^\| ([A-Z]\d+) \|.*\| ([^|]*) \|$", (TESTS / page).read_text(), re.M))
        for line in [*lines, *sorted(rows.keys() - set(lines))]:
            faults = list(faults_of(line, rows.get(line, ""), units, outside))
            if line not in lines:
                faults.append("not known to checklist_check.py")
            for fault in faults:
                print(f"tests/{page}: {line}: {fault}")
            failed += bool(faults)
            passed += not faults
    print(f"{passed} passed, {failed} failed")
    sys.exit(failed != 0)


if __name__ == "__main__":
    main()
