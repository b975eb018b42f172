#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""`taut deconv --atlas`: parcels are the means of their voxels, tables have frames in rows, maps are painted back.

    cli_atlas.py TAUT
"""
import csv
import math
import pathlib
import random

import cli
from cli import contents, refuses, summary, taut, said
from images import read_image, write_image

SHAPE = (6, 5, 4)
N_VOXELS = 120
N_FRAMES = 60
LABELS = {3: "left V1", 17: "right V1", 40: "hand"}


def write_run(bad=None):
    """Noise around 500, a label for three of four voxels; the series and labels."""
    random.seed(5)
    keys = [0, *LABELS]
    labels = [random.choice(keys) for _ in range(N_VOXELS)]
    series = []
    for label in labels:
        phase, values, gain = label * .7, [], random.uniform(.5, 2)
        for t in range(N_FRAMES):
            values.append(500 + gain * 3 * math.sin(.3 * t + phase) + random.gauss(0, 2))
        series.append(values)
    if bad is not None:
        series[bad][7] = math.nan
    write_image("run_bold.nii.gz", (*SHAPE, N_FRAMES), [series[v][t] for t in range(N_FRAMES)
                                                       for v in range(N_VOXELS)], dtype="float64")
    write_image("atlas-Test_dseg.nii.gz", SHAPE, labels, dtype="int16")
    rows = "".join(f"{index}\t{name}\n" for index, name in LABELS.items())
    pathlib.Path("names.tsv").write_text("index\tname\n" + rows + "99\tnowhere\n")
    return series, labels


def run(*arguments, out="out"):
    return summary("deconv", "run_bold.nii.gz", "-o", out, "--atlas", "atlas-Test_dseg.nii.gz", *arguments)


def table(kind, out="out"):
    path = f"{out}/run_atlas-Test_desc-{kind}_timeseries.tsv"
    rows = list(csv.reader(open(path), delimiter="\t"))
    return rows[0], [[float(value) for value in row] for row in rows[1:]]


def mean_of(series, labels, label):
    members = [values for values, own in zip(series, labels) if own == label]
    return [math.fsum(values[t] for values in members) / len(members) for t in range(N_FRAMES)]


PLAIN = ("--detrend", "constant", "--standardize", "none", "--save", "all")


def test_parcels_are_means():
    series, labels = write_run()
    found = run("--labels", "names.tsv", *PLAIN)
    assert found["n_parcels"] == 3 and found["n_voxels"] == sum(label != 0 for label in labels)
    names, fitted = table("fitted")
    assert names == list(LABELS.values())
    _, residual = table("residual")
    assert len(fitted) == len(residual) == N_FRAMES
    for column, label in enumerate(LABELS):
        mean = mean_of(series, labels, label)
        centre = math.fsum(mean) / N_FRAMES
        for t in range(N_FRAMES):
            seen = fitted[t][column] + residual[t][column]
            assert abs(seen - (mean[t] - centre)) < 1e-6, (label, t, seen, mean[t] - centre)


def test_parcels_are_solved_as_an_image_of_their_means_is():
    series, labels = write_run()
    run()
    means = [mean_of(series, labels, label) for label in LABELS]
    write_image("means_bold.nii.gz", (3, 1, 1, N_FRAMES),
                [means[v][t] for t in range(N_FRAMES) for v in range(3)], dtype="float64")
    summary("deconv", "means_bold.nii.gz", "-o", "means", "--mask", "none")
    values = list(read_image("means/means_desc-activity_bold.nii.gz")[1])
    names, activity = table("activity")
    assert names == ["3", "17", "40"]
    for t in range(N_FRAMES):
        for v in range(3):
            assert abs(activity[t][v] - values[3 * t + v]) < 1e-6
    painted = list(read_image("out/run_stat-lambdamax_boldmap.nii.gz")[1])
    own = list(read_image("means/means_stat-lambdamax_boldmap.nii.gz")[1])
    for voxel, label in enumerate(labels):
        expected = own[list(LABELS).index(label)] if label else 0
        assert abs(painted[voxel] - expected) <= 1e-6 * abs(expected), (voxel, label)
    names = set(contents("out"))
    assert "run_atlas-Test_desc-activity_timeseries.json" in names
    assert not any(name.endswith("_bold.nii.gz") for name in names)


def test_a_component_follows_what_its_voxels_share():
    series, labels = write_run()
    run("--parcel", "pc1", *PLAIN)
    _, fitted = table("fitted")
    _, residual = table("residual")
    for column, label in enumerate(LABELS):
        x = [[value - math.fsum(values) / N_FRAMES for value in values]
             for values, own in zip(series, labels) if own == label]
        weights = [1.0] * len(x)
        for _ in range(2000):  # the power method
            component = [math.fsum(w * values[t] for w, values in zip(weights, x)) for t in range(N_FRAMES)]
            weights = [math.fsum(a * b for a, b in zip(values, component)) for values in x]
            norm = math.sqrt(math.fsum(w * w for w in weights))
            weights = [w / norm for w in weights]
        for t in range(N_FRAMES):
            expected = math.fsum(w * values[t] for w, values in zip(weights, x)) / math.sqrt(len(x))
            assert abs(fitted[t][column] + residual[t][column] - expected) < 1e-6, (label, t)


def test_a_mask_cuts_parcels_and_bad_voxels_are_left_out():
    series, labels = write_run()
    inside = [int(v % 2 == 0) for v in range(N_VOXELS)]
    bad = next(v for v in range(N_VOXELS) if inside[v] and labels[v] == 17)
    write_run(bad)
    write_image("mask.nii.gz", SHAPE, inside, dtype="uint8")
    done = taut("deconv", "run_bold.nii.gz", "-o", "out", "--atlas", "atlas-Test_dseg.nii.gz", "--mask", "mask.nii.gz",
                *PLAIN)
    assert done.returncode == 0 and "1 voxels hold values" in said(done), said(done)
    members = [series[v] for v in range(N_VOXELS) if inside[v] and labels[v] == 17 and v != bad]
    mean = [math.fsum(values[t] for values in members) / len(members) for t in range(N_FRAMES)]
    centre = math.fsum(mean) / N_FRAMES
    fitted, residual = table("fitted")[1], table("residual")[1]
    for t in range(N_FRAMES):
        assert abs(fitted[t][1] + residual[t][1] - (mean[t] - centre)) < 1e-6


def test_findings_name_parcels():
    write_run()
    run("--labels", "names.tsv", "--null", "100", "--alpha", ".9:.9", "-j", "1")
    run("--labels", "names.tsv", "--null", "100", "--alpha", ".9:.9", "-j", "2", out="twice")
    assert {name: data for name, data in contents("out").items() if name.endswith((".tsv", ".gz"))} == \
        {name: data for name, data in contents("twice").items() if name.endswith((".tsv", ".gz"))}
    rows = list(csv.DictReader(open("out/run_events.tsv"), delimiter="\t"))
    assert rows and {row["parcel"] for row in rows} <= set(LABELS.values())


def test_bad_atlases_are_refused():
    write_run()
    arguments = ("deconv", "run_bold.nii.gz", "-o", "other")
    refuses(2, *arguments, "--labels", "names.tsv", says="--atlas")
    write_image("half.nii.gz", SHAPE, [.5] * N_VOXELS)
    refuses(3, *arguments, "--atlas", "half.nii.gz", says="voxel 0,0,0: expected labels")
    write_image("none.nii.gz", SHAPE, [0] * N_VOXELS)
    refuses(3, *arguments, "--atlas", "none.nii.gz", says="only zeros")
    atlas = ("--atlas", "atlas-Test_dseg.nii.gz")
    pathlib.Path("bad.tsv").write_text("index\tname\n3\ta\n3\tb\n")
    refuses(3, *arguments, *atlas, "--labels", "bad.tsv", says="named twice")
    pathlib.Path("bad.tsv").write_text("number\tname\n3\ta\n")
    refuses(3, *arguments, *atlas, "--labels", "bad.tsv", says="columns index and name")
    assert not pathlib.Path("other").exists() or not list(pathlib.Path("other").iterdir())


if __name__ == "__main__":
    cli.run(globals())
