# SPDX-License-Identifier: BSD-3-Clause
"""What tests of the command line share: each runs `cli.run(globals())`, which calls every test_*
function in an empty folder of its own and answers in TAP. The program is the first argument.

Python's own library only: where Meson is, that is too.
"""
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import traceback

TAUT = os.path.abspath(sys.argv[1])
SANITIZER = os.environ.get("TAUT_SANITIZE", "none")


class Skip(Exception):
    """Raised by a test for want of something that is not there."""


def taut(*arguments, **options):
    options = {"timeout": 300, "stdin": subprocess.DEVNULL, **options}
    return subprocess.run([TAUT, *(a if isinstance(a, bytes) else str(a) for a in arguments)],
                          capture_output=True, check=False, **options)


def said(done):
    """What a command wrote to stderr, as text."""
    return done.stderr.decode(errors="backslashreplace")


def succeeds(*arguments, **options):
    """Runs the command, which must end with 0."""
    done = taut(*arguments, **options)
    assert done.returncode == 0, f"status {done.returncode}: {arguments}: {said(done)}"
    return done


def refuses(status, *arguments, says="", **options):
    """Runs the command, which must end with this status and one line that holds `says`."""
    done = taut(*arguments, **options)
    lines = said(done).splitlines()
    assert done.returncode == status, f"status {done.returncode}: {arguments}: {said(done)}"
    assert len(lines) == 1 and lines[0].startswith("taut: "), f"not one line: {said(done)!r}"
    assert says in lines[0], f"{says!r} is not in {lines[0]!r}"
    return done


def summary(*arguments, **options):
    """Runs the command with --json; the object that it prints."""
    return json.loads(succeeds(*arguments, "--json", **options).stdout)


def environment(**changes):
    """The environment of this process with some variables set."""
    return dict(os.environ, **{name: str(value) for name, value in changes.items()})


def contents(folder):
    """{name: bytes} of every file below a folder."""
    folder = pathlib.Path(folder)
    return {str(path.relative_to(folder)): path.read_bytes()
            for path in sorted(folder.rglob("*")) if path.is_file()}


def images(folder):
    """{name: bytes} of the images below a folder: what must not change by a bit."""
    found = {name: data for name, data in contents(folder).items()
             if name.endswith((".nii", ".nii.gz"))}
    assert found, f"no images in {folder}"
    return found


def has_no_temporaries(folder):
    """No temporary is left below a folder."""
    left = [str(path) for path in pathlib.Path(folder).rglob(".tmp-*")]
    assert not left, f"left behind: {left}"


def fault_shim():
    """The library that makes file operations of a program that loads it first fail; its path."""
    if SANITIZER != "none":
        raise Skip("a sanitizer wants to be loaded first, and so does the shim")
    return os.environ["TAUT_FAULTS"]


def run(names):
    tests = [(name, test) for name, test in sorted(names.items()) if name.startswith("test_")]
    print(f"1..{len(tests)}")
    for number, (name, test) in enumerate(tests, 1):
        with tempfile.TemporaryDirectory() as folder:
            os.chdir(folder)
            try:
                test()
                verdict, why = "ok", ""
            except Skip as reason:
                verdict, why = "ok", f" # SKIP {reason}"
            except Exception:  # a test that breaks has failed
                verdict, why = "not ok", "\n" + traceback.format_exc().rstrip()
            os.chdir("/")
        print(f"{verdict} {number} - {name[5:]}" + why.replace("\n", "\n# "), flush=True)
