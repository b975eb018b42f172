#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""`taut deconv --null`: noise stays silent, activity is found, and the outputs agree with each other.

    cli_findings.py TAUT
"""
import csv
import json
import pathlib
import random

import cli
from cli import refuses, summary
from images import read_image, write_image

SHAPE = (10, 10, 6, 120)
N_VOXELS = 600
N_ACTIVE = 60
TR_S = 2.0
ONSETS = (20, 60, 95)


def write_run(name="run_bold.nii.gz"):
    """Noise of autocorrelation .2; the first voxels have blocks of 10 frames, four times as strong."""
    random.seed(3)
    response = [0.0, .087, .375, .385, .216, .077, .0, -.03, -.04, -.03, -.02, -.01]
    blocks = [float(any(onset <= t < onset + 10 for onset in ONSETS)) for t in range(SHAPE[3])]
    seen = [sum(h * blocks[t - k] for k, h in enumerate(response) if t >= k) for t in range(SHAPE[3])]
    series = []
    for voxel in range(N_VOXELS):
        noise, values = random.gauss(0, 1), []
        for t in range(SHAPE[3]):
            noise = .2 * noise + .98 * random.gauss(0, 1)
            values.append(1000 + noise + (4 * seen[t] if voxel < N_ACTIVE else 0))
        series.append(values)
    write_image(name, SHAPE, [series[v][t] for t in range(SHAPE[3]) for v in range(N_VOXELS)], tr=TR_S)


def run(*arguments, out="out"):
    return summary("deconv", "run_bold.nii.gz", "-o", out, "--mask", "none", *arguments)


def volume(kind, out="out"):
    return list(read_image(f"{out}/run_stat-{kind}_boldmap.nii.gz")[1])


def frames(kind, out="out"):
    values = list(read_image(f"{out}/run_desc-{kind}_bold.nii.gz")[1])
    return [values[t * N_VOXELS:(t + 1) * N_VOXELS] for t in range(SHAPE[3])]


def test_activity_is_found_and_noise_is_not():
    write_run()
    found = run("--null", "analytic", "--alpha", "0.001:0.05")
    p, q, explained = volume("p"), volume("q"), volume("explained")
    assert all(value <= .001 for value in p[:N_ACTIVE])
    assert sum(value <= .05 for value in p[N_ACTIVE:]) <= 54  # 27 expected
    assert all(value <= .05 for value in q[:N_ACTIVE])
    assert all(0 <= value <= 1 for value in explained)
    assert min(explained[:N_ACTIVE]) > .4
    assert found["significant"]["voxels"] == sum(value <= .001 for value in p)
    assert abs(found["noise"]["ar_median"] - .2) < .1, found["noise"]
    jumps = frames("innovations")
    silent = sum(not any(frame[v] for frame in jumps) for v in range(N_ACTIVE, N_VOXELS))
    assert silent >= (N_VOXELS - N_ACTIVE) * .9, silent
    assert found["significant"]["jumps"] == sum(value != 0 for frame in jumps for value in frame)
    for onset in ONSETS:  # within a frame of it, in nine of ten voxels
        there = sum(any(jumps[t][v] > 0 for t in range(onset - 1, onset + 2)) for v in range(N_ACTIVE))
        assert there >= .9 * N_ACTIVE, (onset, there)


def test_images_and_table_agree():
    write_run()
    run("--null", "analytic")
    jumps, levels = frames("innovations"), frames("significant")
    for v in range(N_VOXELS):
        for t in range(1, SHAPE[3]):
            assert abs(levels[t][v] - levels[t - 1][v] - jumps[t][v]) < 1e-4
    rows = list(csv.DictReader(open("out/run_events.tsv"), delimiter="\t"))
    p = volume("p")
    expected = sum(value != 0 for frame in jumps for v, value in enumerate(frame) if p[v] <= .001)
    assert len(rows) == expected > 0
    for row in rows:
        x, y, z = (int(i) for i in row["index"].split(","))
        frame = round(float(row["onset"]) / TR_S + .5)
        value = jumps[frame][x + SHAPE[0] * (y + SHAPE[1] * z)]
        assert abs(value - float(row["amplitude"])) < 1e-3 * abs(value), row
        assert row["trial_type"] == ("rise" if value > 0 else "fall")


def test_none_writes_nothing_of_it():
    write_run()
    found = run()
    assert found["null"] == {"kind": "none"} and "significant" not in found
    names = {path.name for path in pathlib.Path("out").iterdir()}
    assert "run_stat-explained_boldmap.nii.gz" in names and "run_stat-sd_boldmap.nii.gz" in names
    assert not any(word in name for name in names for word in ("events", "stat-p", "significant"))


def test_lambda_by_the_noise():
    write_run()
    found = run("--lambda-rule", "noise:0.5", "--null", "100", "-j", "1")
    twice = run("--lambda-rule", "noise:1", "--null", "100", "-j", "3", out="twice")
    assert abs(twice["lambda"]["median"] / found["lambda"]["median"] - 2) < 1e-6
    assert found["null"]["draws"] == 100 and found["null"]["kind"] == "counted"
    assert min(volume("p")) >= 1 / 101 - 1e-6
    sidecar = json.loads(pathlib.Path("out/run_desc-activity_bold.json").read_text())
    assert sidecar["Lambda"]["Rule"] == "noise:0.5", sidecar["Lambda"]
    for kind in ("p", "sigma", "ar"):
        assert volume(kind) == volume(kind, "twice")


def test_a_band_without_noise_is_told():
    write_run()
    band = ("--bandpass", "0.01:0.03")
    found = run("--null", "analytic", *band)
    assert "noise" not in found and set(volume("p")) == {1.0}
    refuses(3, "deconv", "run_bold.nii.gz", "-o", "other", "--mask", "none", "--lambda-rule", "noise:1",
            *band, says="frequencies")


def test_bad_values_are_refused():
    write_run()
    for option, value in (("--alpha", "2"), ("--alpha", "0.1:0.1:0.1"), ("--null", "few"), ("--null", "5"),
                          ("--lambda-rule", "noise:0"), ("--lambda-rule", "noise:x")):
        refuses(2, "deconv", "run_bold.nii.gz", "-o", "other", option, value, says=option)


if __name__ == "__main__":
    cli.run(globals())
