#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""Every malformed or odd file gets its verdict from `taut info --check`, soon, in bounded memory,
in one line.

    bad_nifti.py | bad_sensor.py TAUT [--no-memory]

--no-memory: a sanitizer's own memory is not counted.
"""
import csv
import json
import os
import subprocess
import sys
import tempfile
import time

LIMIT_BYTES = 64 << 20
LIMIT_SECONDS = 20


def run(arguments, folder):
    """Exit status, stdout, stderr, seconds and peak memory of a command."""
    paths = [os.path.join(folder, name) for name in ("stdout", "stderr")]
    with open(paths[0], "wb") as out, open(paths[1], "wb") as err:
        begin = time.monotonic()
        child = subprocess.Popen(arguments, stdout=out, stderr=err, stdin=subprocess.DEVNULL)
        _, status, usage = os.wait4(child.pid, 0)
        seconds = time.monotonic() - begin
    code = os.waitstatus_to_exitcode(status)
    texts = [open(path, "rb").read() for path in paths]
    return code, texts[0], texts[1], seconds, usage.ru_maxrss * 1024


def problems(case, result, count_memory):
    """What is wrong with the answer to a case, as a list of sentences."""
    code, out, err, seconds, memory = result
    found = []
    wanted = 0 if case["verdict"] == "accept" else 3
    if code != wanted:
        found.append("expected exit %d (%s), found %d: %s"
                     % (wanted, case["reason"], code, err.decode(errors="replace")[:300]))
    lines = err.decode("utf-8").splitlines()
    if code == 3 and (len(lines) != 1 or not lines[0].startswith("taut: ")):
        found.append("expected one line on stderr, found %r" % lines)
    if code == 0 and lines:
        found.append("expected nothing on stderr, found %r" % lines)
    if any(ord(c) < 32 for line in lines for c in line):
        found.append("control characters on stderr")
    if seconds > LIMIT_SECONDS:
        found.append("took %.1f s" % seconds)
    if count_memory and memory > LIMIT_BYTES:
        found.append("held %.0f MiB" % (memory / 2**20))
    if code in (0, 3):
        answer = json.loads(out.decode("utf-8"))["files"][0]
        told = answer.get("warnings", []) + answer.get("flags", [])
        if answer["usable"] != (code == 0):
            found.append("JSON and exit status disagree")
        if code == 0 and {"warn", "flag"} & set(case["notes"].split(",")) and not told:
            found.append("expected a warning (%s)" % case["reason"])
    return found


def main(make):
    """make(OUT) writes the files and OUT/cases.tsv (name, file, verdict, reason, notes)."""
    taut = sys.argv[1]
    with tempfile.TemporaryDirectory() as folder:
        files = os.path.join(folder, "files")
        make(files)
        with open(os.path.join(files, "cases.tsv")) as table:
            cases = list(csv.DictReader(table, delimiter="\t"))
        for number, case in enumerate(cases, 1):
            path = os.path.join(files, case["file"])
            result = run([taut, "info", "--check", "--json", path], folder)
            found = problems(case, result, "--no-memory" not in sys.argv)
            print("%sok %d - %s" % ("not " if found else "", number, case["name"]))
            for sentence in found:
                print("# " + sentence)
        print("1..%d" % len(cases))
    return 0

