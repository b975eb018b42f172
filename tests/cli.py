# SPDX-License-Identifier: BSD-3-Clause
"""What tests of the command line share: each runs `cli.run(globals())`, which calls every test_*
function in an empty folder of its own and answers in TAP. The program is the first argument.
"""
import os
import subprocess
import sys
import tempfile

TAUT = os.path.abspath(sys.argv[1])


class Skip(Exception):
    """Raised by a test for want of something that is not there."""


def taut(*arguments, **options):
    return subprocess.run([TAUT, *arguments], capture_output=True, timeout=300, **options)


def run(names):
    tests = [(name, test) for name, test in sorted(names.items()) if name.startswith("test_")]
    for number, (name, test) in enumerate(tests, 1):
        with tempfile.TemporaryDirectory() as folder:
            os.chdir(folder)
            try:
                test()
                verdict, why = "ok", ""
            except Skip as reason:
                verdict, why = "ok", " # SKIP %s" % reason
            except Exception as problem:  # a test that breaks has failed
                verdict, why = "not ok", "\n# %s: %s" % (type(problem).__name__, problem)
            os.chdir("/")
        print("%s %d - %s%s" % (verdict, number, name[5:], why.replace("\n", "\n# ")))
    print("1..%d" % len(tests))
