#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""What `taut deconv` and `taut run` believe of a run before anything is solved: repetition time,
side-cars, mask, confounds. What they cannot know they refuse or tell, in every command.

    cli_inputs.py TAUT
"""
import gzip
import json
import os
import pathlib
import struct

import cli
from cli import refuses, said, succeeds, summary
from images import small_run

BROKEN = {
    "not a number": b'{"RepetitionTime": 2.0, "EchoTime": NaN}',
    "latin-1": '{"RepetitionTime": 2.0, "InstitutionName": "Universit\u00e4t"}'.encode("latin-1"),
    "byte order mark": b'\xef\xbb\xbf{"RepetitionTime": 2.0}',
    "line break": b'{"RepetitionTime": 2.0, "InstitutionAddress": "200\nRochester"}',
    "empty": b"",
    "cut short": b'{"RepetitionTime": 2.0',
}
RUN = "sub-01_task-rest_bold"


def outputs(folder="out"):
    return sorted(path.name for path in pathlib.Path(folder).glob("*"))


def write_config(name="c.ini", **sections):
    lines = []
    for section, keys in sections.items():
        lines += [f"[{section}]"] + [f"{key} = {value}" for key, value in keys.items()]
    pathlib.Path(name).write_text("\n".join(lines) + "\n")
    return name


def test_a_sidecar_that_cannot_be_read_is_refused_by_name():
    small_run(f"{RUN}.nii.gz")
    config = write_config(input={"bold": "sub-*_bold.nii.gz", "mask": "none"},
                          output={"folder": "out"})
    for what, text in BROKEN.items():
        pathlib.Path(f"{RUN}.json").write_bytes(text)
        for command in (("deconv", f"{RUN}.nii.gz", "-o", "out", "--mask", "none"),
                        ("run", config)):
            refuses(3, *command, says=f"{RUN}.json: ")
            assert outputs() == [], (what, outputs())
    os.unlink(f"{RUN}.json")
    os.symlink(".git/annex/objects/x.json", f"{RUN}.json")
    refuses(3, "run", config, says="annexed file not present")
    done = succeeds("deconv", f"{RUN}.nii.gz", "-o", "out", "--mask", "none", "--tr", "2")
    assert said(done).count(f"{RUN}.json: annexed file not present") == 1, said(done)


def test_the_time_is_that_of_the_dataset():
    os.makedirs("ds/sub-01/func")
    pathlib.Path("ds/dataset_description.json").write_text("{}")
    pathlib.Path("ds/task-rest_bold.json").write_text('{"RepetitionTime": 2.5, "TaskName": "rest"}')
    path = f"ds/sub-01/func/{RUN}.nii.gz"
    small_run(path, tr=1.0)
    done = summary("deconv", path, "-o", "out", "--mask", "none")
    assert done["tr"] == 2.5, done
    sidecar = json.loads(pathlib.Path("out/sub-01_task-rest_desc-activity_bold.json").read_text())
    assert sidecar["RepetitionTime"] == 2.5 and sidecar["TaskName"] == "rest", sidecar
    assert "bids::task-rest_bold.json" in sidecar["Sources"], sidecar["Sources"]
    assert "sidecar" in sidecar["InputChecksums"], sidecar


def test_the_first_frame_has_its_own_time():
    small_run(f"{RUN}.nii.gz", tr=2.0)
    pathlib.Path(f"{RUN}.json").write_text(
        '{"RepetitionTime": 2, "StartTime": 1.0, "SliceTimingCorrected": true, "DelayTime": 0.5}')
    succeeds("deconv", f"{RUN}.nii.gz", "-o", "out", "--mask", "none", "--drop", "5",
             "--frames", "3:30")
    sidecar = json.loads(pathlib.Path("out/sub-01_task-rest_desc-activity_bold.json").read_text())
    found = {name: sidecar.get(name) for name in
             ("StartTime", "SliceTimingCorrected", "DelayTime", "NumberOfVolumesDiscardedByUser")}
    assert found == {"StartTime": 17.0, "SliceTimingCorrected": True, "DelayTime": 0.5,
                     "NumberOfVolumesDiscardedByUser": 8}, found
    header = gzip.decompress(
        pathlib.Path("out/sub-01_task-rest_desc-activity_bold.nii.gz").read_bytes())
    assert struct.unpack_from("<f", header, 136) == (16.0,)  # toffset


def test_an_implausible_header_is_refused():
    small_run("b_bold.nii.gz", tr=0.002)
    refuses(3, "deconv", "b_bold.nii.gz", "-o", "out", "--mask", "none",
            says="repetition time: expected 0.05 to 20 s, found 0.002 s in the header")
    assert summary("deconv", "b_bold.nii.gz", "-o", "out", "--mask", "none",
                   "--tr", "1.5")["tr"] == 1.5


def test_what_reading_finds_is_told_once():
    path = small_run("g_bold.nii.gz")
    with open(path, "ab") as stream:
        stream.write(b"garbage!")
    done = succeeds("deconv", path, "-o", "out", "--mask", "auto")
    assert said(done).count("bytes after the last member") == 1, said(done)


cli.run(globals())
