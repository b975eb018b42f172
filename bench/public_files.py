#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Tells of every data file below some folders what `taut info` and `taut info --check` make of it.

    public_files.py TAUT FOLDER... [> files.tsv]

A data file is one whose name ends as images, arrays, surfaces or recordings of sensors do, empty
files left out. Prints a row a file (seconds, exit statuses, what was said), and on stderr the counts
of refusals by what was expected and found, paths and numbers set aside. Exit 1 where the program
crashed, took more than a minute, or refused a file without a line of reason.
"""
import collections
import os
import pathlib
import re
import subprocess
import sys
import time

ENDINGS = ("nii hdr img mgz mgh gii dscalar dtseries mif mih nrrd nhdr mha mhd head brik v16 fdf par rec "
           "ima dcm mnc npy npz csv tsv 1d fif fif.gz edf bdf vhdr vmrk eeg set fdt wav flac snirf cnt "
           "con sqd mff nii.gz img.gz hdr.gz mgh.gz gii.gz trk tck").split()
LIMIT_S = 60


def is_data(path):
    name = path.name.lower()
    return path.is_file() and path.stat().st_size > 0 and any(
        name.endswith("." + ending) for ending in ENDINGS)


def ask(taut, path, *options):
    """(exit status or "timeout", lines on stderr, seconds)"""
    begin = time.monotonic()
    try:
        done = subprocess.run([taut, "info", *options, path], capture_output=True, check=False,
                              timeout=LIMIT_S)
    except subprocess.TimeoutExpired:
        return "timeout", [], LIMIT_S
    lines = done.stderr.decode("utf-8", "replace").splitlines()
    return done.returncode, lines, time.monotonic() - begin


def kind_of(line, path):
    """What a refusal is about: its line without the path, numbers and quoted words."""
    text = line.removeprefix("taut: ").replace(str(path), "").lstrip(": ")
    text = re.sub(r'"[^"]*"', '"..."', text)
    return re.sub(r"-?\d[\d.e+x]*", "N", text)[:150]


def main():
    taut, folders = sys.argv[1], sys.argv[2:]
    kinds, faults, n_files = collections.Counter(), [], 0
    print("path\tinfo\tcheck\tseconds\tsaid")
    for path in sorted(p for folder in folders for p in pathlib.Path(folder).rglob("*")):
        if not is_data(path):
            continue
        n_files += 1
        status, said, _ = ask(taut, path)
        checked, lines, seconds = ask(taut, path, "--check")
        errors = [line for line in lines + said if "warning" not in line]
        print(path, status, checked, f"{seconds:.2f}", (errors or lines or [""])[0], sep="\t")
        if {status, checked} - {0, 3} or (3 in (status, checked) and not errors):
            faults.append(path)
        if checked != 0:
            kinds[kind_of((errors or ["no reason"])[0], path)] += 1
    print(f"{n_files} files, {sum(kinds.values())} refused, {len(faults)} at fault:",
          *map(os.fspath, faults), file=sys.stderr)
    for kind, count in kinds.most_common():
        print(f"{count:6d}  {kind}", file=sys.stderr)
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
