#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""`taut info` says what a file holds, and refuses what it cannot use.

    cli_info.py TAUT
"""
import gzip
import json
import struct

import cli

SECRET = b"DOE^JOHN 19700101"


def nifti(n_time=12, tr=2.0, values=None):
    """A 3 x 2 x 2 int16 image of n_time frames; patient words in every free field."""
    dim = struct.pack("<8h", 4, 3, 2, 2, n_time, 1, 1, 1)
    head = struct.pack("<i", 348) + SECRET.ljust(28, b"\0") + struct.pack("<ihcB", 0, 0, b"r", 0)
    head += dim + struct.pack("<3f4h", 0, 0, 0, 0, 4, 16, 0)
    head += struct.pack("<8f", 1, 2, 3, 4, tr, 1, 1, 1)
    head += struct.pack("<3fhBB", 352, 0.5, 10, 0, 0, 10) + struct.pack("<4f2i", 0, 0, 0, 0, 0, 0)
    head += SECRET.ljust(80, b"\0") + SECRET.ljust(24, b"\0")
    head += struct.pack("<2h6f", 0, 1, 0, 0, 0, 0, 0, 0)
    head += struct.pack("<12f", -2, 0, 0, 1, 0, 3, 0, 2, 0, 0, 4, 3)
    head += SECRET[:16].ljust(16, b"\0") + b"n+1\0" + b"\0" * 4
    n = 12 * n_time
    return head + struct.pack("<%dh" % n, *(values or range(n)))


def info(*arguments):
    done = cli.taut("info", *arguments)
    assert SECRET[:4] not in done.stdout + done.stderr, "a patient field was printed"
    return done.returncode, done.stdout.decode(), done.stderr.decode()


def facts(*arguments):
    code, out, _ = info("--json", *arguments)
    return code, json.loads(out)["files"]


def write(name, data):
    with open(name, "wb") as file:
        file.write(data)
    return name


def test_header_is_told():
    _, [found] = facts(write("a.nii", nifti()))
    assert found["format"] == "NIfTI-1" and found["datatype"] == "int16", found
    assert found["dim"] == [3, 2, 2] and found["voxel_mm"] == [2, 3, 4], found
    assert found["n_time"] == 12 and found["n_series"] == 12, found
    assert found["scale"] == 0.5 and found["offset"] == 10, found
    assert found["orientation"] == "LAS" and found["affine"][3] == 1, found
    assert found["tr"] == 2 and found["tr_source"] == "header", found
    code, out, err = info("a.nii")
    assert code == 0 and err == "" and "3 x 2 x 2 voxels of 2 x 3 x 4 mm" in out, out


def test_sidecar_overrules_the_header_and_the_conflict_is_told():
    write("b.nii", nifti())
    write("b.json", b'{"RepetitionTime": 2.5, "PatientName": "DOE^JOHN"}')
    _, [found] = facts("b.nii")
    assert found["tr"] == 2.5 and found["tr_source"] == "sidecar", found
    assert "tr" in found["flags"] and "2.5" in found["warnings"][0], found


def test_check_counts_what_does_not_vary():
    values = [7 if i % 12 < 3 else i for i in range(144)]
    _, [found] = facts("--check", write("c.nii", nifti(values=values)))
    assert found["check"]["n_constant"] == 3 and found["check"]["n_series"] == 12, found
    assert found["check"]["minimum"] == 0.5 * 3 + 10, found


def test_members_of_gzip_are_counted_and_checked():
    data = nifti()
    packed = gzip.compress(data[:400]) + gzip.compress(data[400:])
    code, [found] = facts("--check", write("d.nii.gz", packed))
    assert code == 0 and found["compressed"] and found["check"]["gzip_members"] == 2, found
    code, _, err = info("--check", write("e.nii.gz", packed[:-6]))
    assert code == 3 and err.count("\n") == 1 and "e.nii.gz" in err, err


def test_one_bad_file_among_good_ones_is_named():
    write("f.nii", nifti())
    code, out, err = info("f.nii", "absent.nii", "f.nii")
    assert code == 3 and out.count("f.nii\n") == 2, out
    assert err.startswith("taut: absent.nii: ") and err.count("\n") == 1, err


def test_names_are_escaped():
    name = b"g\x1b[31m\n\xff.nii"
    write(name, nifti())
    code, out, _ = info(name)
    assert code == 0 and "\x1b" not in out and out.startswith("g\\x1b[31m"), out
    code, [found] = facts(name)
    assert code == 0 and "\n" not in found["path"], found
    code, _, err = info(b"none\n\x1b.nii")
    assert code == 3 and err.count("\n") == 1 and "\x1b" not in err, err


def test_arrays_and_tables_are_read():
    write("h.tsv", b"time\tbold\n0\t1.5\n1\t2.5\n2\t4\n")
    code, [found] = facts("--check", "h.tsv")
    assert code == 0 and found["format"] == "tsv" and found["n_time"] == 3, found
    assert found["check"]["maximum"] == 4, found
    code, _, err = info(write("i.tsv", b"a\tb\n1\t2\n3\n"))
    assert code == 3 and "line 3" in err, err


def test_usage_is_explained():
    code, _, err = info()
    assert code == 2 and "FILE" in err, err


cli.run(globals())
