# SPDX-License-Identifier: BSD-3-Clause
"""Counts what `meson test` ran, subtests one by one, from its testlog.json.

Prints what was skipped and why, what failed, and last "N passed, N failed". The exit status is
that of a failure if any test failed or none ran. Python's own library only: Meson needs that much.
"""

import json
import re
import sys

LINE = re.compile(r"(not )?ok\b[ \d]*(?:- )?([^#]*)(?:# *(SKIP)\S* *(.*))?")


def subtests(stdout):
    """(result, name, reason) of each TAP line; a reason is a "# skipped: ..." line before it."""
    reason = ""
    for line in stdout.splitlines():
        if line.startswith("# skipped:"):
            reason = line[len("# skipped:"):].strip()
        elif match := LINE.match(line):
            failed, name, skip, text = match.groups()
            result = "skipped" if skip else "failed" if failed else "passed"
            yield result, name.strip() or text or "", reason or text or ""
            reason = ""


def outcomes(test):
    """(result, name, reason) of everything that one Meson test says."""
    found = list(subtests(test.get("stdout", "")))
    bad = test["result"] not in ("OK", "SKIP", "EXPECTEDFAIL")
    if bad and not any(result == "failed" for result, _, _ in found):
        found.append(("failed", "", f"{test['result']}, status {test['returncode']}"))
    elif not found:
        reason = re.search(r"^#? *skipped: *(.*)", test.get("stdout", ""), re.MULTILINE)
        result = "skipped" if test["result"] == "SKIP" else "passed"
        found.append((result, "", reason.group(1) if reason else ""))
    return found


def main(log):
    count = {"passed": 0, "failed": 0, "skipped": 0}
    with open(log, encoding="utf-8") as lines:
        for test in map(json.loads, lines):
            for result, name, reason in outcomes(test):
                count[result] += 1
                if result != "passed":
                    where = " ".join(filter(None, [test["name"], name]))
                    print(f"{result}: {where}" + (f": {reason}" if reason else ""))
    print(f"{count['passed']} passed, {count['failed']} failed")
    return 0 if count["passed"] > 0 and count["failed"] == 0 else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
