#!/usr/bin/env python3
"""gtest_count.py folder: adds up GoogleTest's XML reports; a skipped test counts as failed. Prints `N passed, N failed`."""

import pathlib
import sys
import xml.etree.ElementTree

passed = failed = 0
for report in sorted(pathlib.Path(sys.argv[1]).glob("*.xml")):
    for case in xml.etree.ElementTree.parse(report).iter("testcase"):
        if case.get("status") == "notrun":  # DISABLED_
            problem = "disabled"
        elif case.get("result") == "skipped":
            problem = "skipped"
        else:
            problem = "failed" if case.find("failure") is not None else None
        if problem:
            print(f"{problem}: {case.get('classname')}.{case.get('name')}")
        failed += problem is not None
        passed += problem is None
print(f"{passed} passed, {failed} failed")
sys.exit(failed != 0 or passed == 0)
