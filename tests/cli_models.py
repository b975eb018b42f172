#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""`taut deconv --model` and `taut solve lasso --hrf`: spikes, and blocks with spikes, are the minimisers.

    cli_models.py TAUT
"""
import json
import math
import pathlib
import random

import cli
from cli import refuses, succeeds, summary
from images import read_image, write_image

N_FRAMES = 80
RESPONSE = [0.0, .087, .375, .385, .216, .077, .0, -.03, -.04, -.03, -.02, -.01]
N_VOXELS = 4


def convolved(u):
    return [math.fsum(h * u[t - k] for k, h in enumerate(RESPONSE) if t >= k) for t in range(len(u))]


def correlations(r):
    """A' r."""
    return [math.fsum(h * r[t + k] for k, h in enumerate(RESPONSE) if t + k < len(r)) for t in range(len(r))]


def write_run():
    random.seed(8)
    series = []
    for voxel in range(N_VOXELS):
        u = [3.0 if t in (15 + voxel, 60) else float(30 <= t < 45) for t in range(N_FRAMES)]
        series.append([value + random.gauss(0, .2) for value in convolved(u)])
    write_image("run_bold.nii.gz", (N_VOXELS, 1, 1, N_FRAMES),
                [series[v][t] for t in range(N_FRAMES) for v in range(N_VOXELS)], dtype="float64")
    pathlib.Path("h.txt").write_text("".join(f"{h}\n" for h in RESPONSE))
    return series


def run(*arguments, out="out"):
    return summary("deconv", "run_bold.nii.gz", "-o", out, "--mask", "none", "--hrf", "h.txt", "--detrend", "none",
                   "--standardize", "none", "--lambda-rule", "fixed", "--lambda", ".1", *arguments)


def frames(kind, out="out"):
    values = list(read_image(f"{out}/run_desc-{kind}_bold.nii.gz")[1])
    return [[values[t * N_VOXELS + v] for t in range(N_FRAMES)] for v in range(N_VOXELS)]


def test_spikes_are_optimal():
    series = write_run()
    for words in ((), ("--positive",)):
        found = run("--model", "spike", "--force", *words)
        assert found["status"]["solved"] == N_VOXELS and found["gap"]["max"] < 1e-12
        for x, u, s in zip(series, frames("activity"), frames("spikes")):
            c = correlations([a - b for a, b in zip(x, convolved(u))])
            assert any(s) and not all(s) and abs(math.fsum(c)) < 1e-5
            assert max(abs(a - b - u[0] + s[0]) for a, b in zip(u, s)) < 1e-6
            for value, slope in zip(s, c):
                assert slope <= .1 + 1e-5 and (words or slope >= -.1 - 1e-5)
                assert value == 0 or abs(slope - math.copysign(.1, value)) < 1e-5
                assert value >= 0 or not words
    sidecar = json.loads(pathlib.Path("out/run_desc-activity_bold.json").read_text())
    assert sidecar["Model"]["Name"] == "spike" and sidecar["Model"]["Positive"] is True
    jumps = list(read_image("out/run_stat-jumps_boldmap.nii.gz")[1])
    assert jumps == [sum(value != 0 for value in u) for u in frames("spikes")]


def test_blocks_and_spikes_are_optimal_together():
    series = write_run()
    run("--model", "both", "-j", "1")
    run("--model", "both", "-j", "3", out="twice")
    kappa = json.loads(pathlib.Path("out/run_desc-activity_bold.json").read_text())["Model"]["Kappa"]
    activity, spikes = frames("activity"), frames("spikes")
    assert activity == frames("activity", "twice") and spikes == frames("spikes", "twice")
    explained = list(read_image("out/run_stat-explained_boldmap.nii.gz")[1])
    for x, u, s, part in zip(series, activity, spikes, explained):
        r = [a - b for a, b in zip(x, convolved(u))]
        c = correlations(r)
        rise = 0.0
        for t in reversed(range(N_FRAMES)):
            rise += c[t]
            assert abs(c[t]) <= .1 * kappa + 1e-5 and abs(rise) <= .1 + 1e-5
            assert s[t] == 0 or abs(c[t] - math.copysign(.1 * kappa, s[t])) < 1e-5
        assert abs(rise) < 1e-5 and any(s)
        assert abs(part - (1 - math.fsum(v * v for v in r) / math.fsum(v * v for v in x))) < 1e-4


def test_solve_takes_a_response_for_the_lasso():
    series = write_run()
    pathlib.Path("x.csv").write_text("".join(",".join(map(repr, frame)) + "\n" for frame in zip(*series)))
    found = summary("solve", "lasso", "--hrf", "h.txt", "--data", "x.csv", "--lambda-ratio", ".1", "-o", "u.npy")
    assert found["status"]["solved"] == N_VOXELS and found["n_unknown"] == N_FRAMES
    largest = [max(map(abs, correlations(x))) for x in series]
    assert abs(found["lambda_max"]["max"] - max(largest)) < 1e-9
    for name in ("fista", "cd", "lars"):
        other = summary("solve", "lasso", "--hrf", "h.txt", "--data", "x.csv", "--lambda-ratio", ".1", "-o", f"{name}.npy",
                        "--solver", name, "--tol", "1e-10")
        assert abs(other["objective"]["mean"] - found["objective"]["mean"]) < 1e-8
    positive = summary("solve", "lasso", "--hrf", "h.txt", "--data", "x.csv", "--lambda-ratio", ".1", "-o", "p.npy",
                       "--positive")
    assert abs(positive["lambda_max"]["max"] - max(max(correlations(x)) for x in series)) < 1e-9


def test_what_does_not_go_together_is_refused():
    write_run()
    base = ("deconv", "run_bold.nii.gz", "-o", "other", "--mask", "none")
    for words, says in ((("--positive",), "--positive"), (("--model", "both", "--positive"), "--positive"),
                        (("--model", "spike", "--null", "100"), "--null"), (("--model", "spike", "--debias"), "--debias"),
                        (("--model", "spike", "--lambda-rule", "bic"), "--lambda-rule"),
                        (("--model", "both", "--solver", "condat-vu"), "--solver")):
        refuses(2, *base, *words, says=says)
    pathlib.Path("x.csv").write_text("1\n2\n3\n")
    refuses(2, "solve", "lasso", "--data", "x.csv", "--hrf", "spm", "--lambda", "1", "-o", "u.npy", says="--tr")
    refuses(2, "solve", "tv", "--data", "x.csv", "--lambda", "1", "-o", "u.npy", "--positive", says="--positive")
    refuses(2, "solve", "lasso", "--data", "x.csv", "--hrf", "h.txt", "--lambda", "1", "-o", "u.npy", "--positive",
            "--solver", "fista", says="--positive")
    succeeds("solve", "lasso", "--data", "x.csv", "--hrf", "spm", "--tr", "2", "--lambda", "1", "-o", "u.npy")


if __name__ == "__main__":
    cli.run(globals())
