#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""`taut run` on configurations of sources and of a training: what is done is not done again.

    cli_run_jobs.py TAUT
"""
import os
import pathlib
import random

import cli
from cli import contents, has_no_temporaries, refuses, said, succeeds, summary, taut

SOURCES = """
[sources]
recordings = sub-*/sim-ave.fif
folder = out/{up1}
forward = {folder}/sim-fwd.fif
noise_cov = {folder}/sim-cov.fif
baseline = :0
tmin = 0.05
tmax = 0.15
lambda = 0.6
"""
OPTIONS = ["--baseline", ":0", "--tmin", "0.05", "--tmax", "0.15", "--lambda", "0.6"]
TRAIN = """
[train]
network = slista
output = nets/net.safetensors
data = x.csv
operator = d.csv
lambda_ratio = 0.1
layers = 2
max-iter = 20
"""


def write(name, text):
    pathlib.Path(name).write_text(text)
    return name


def subjects(n=2):
    for i in range(1, n + 1):
        succeeds("simulate", "meeg", "-o", f"sub-{i}", "--positions", 300, "--sensors", 20, "--eeg",
                 16, "--seed", i)
    return write("s.ini", SOURCES)


def states(found):
    return [unit["state"] for unit in found["runs"]]


def test_sources_of_every_recording_are_those_of_the_command():
    config = subjects()
    assert states(summary("run", config, "--dry-run")) == ["ready"] * 2
    assert not os.path.exists("out")
    found = summary("run", config)
    assert states(found) == ["done"] * 2 and found["done"] == 2
    assert [unit["n_active"] > 0 for unit in found["runs"]] == [True, True]
    for i in (1, 2):
        files = ["--forward", f"sub-{i}/sim-fwd.fif", "--noise-cov", f"sub-{i}/sim-cov.fif"]
        succeeds("sources", f"sub-{i}/sim-ave.fif", *files, *OPTIONS, "-o", "alone")
        alone, batch = contents("alone"), contents(f"out/sub-{i}")
        assert batch.pop("sim-ave.taut.json")
        assert set(alone) == set(batch)
        for name, data in alone.items():
            if not name.endswith((".html", ".json")):  # these tell seconds
                assert data == batch[name], name
        for path in pathlib.Path("alone").iterdir():
            path.unlink()
    has_no_temporaries(".")


def test_sources_that_are_done_are_skipped_until_something_changes():
    config = subjects()
    assert states(summary("run", config)) == ["done"] * 2
    assert states(summary("run", config)) == ["skipped"] * 2
    os.utime("sub-1/sim-fwd.fif")  # another time, the same bytes
    assert states(summary("run", config)) == ["skipped"] * 2
    succeeds("simulate", "meeg", "-o", "sub-2", "--positions", 300, "--sensors", 20, "--eeg", 16,
             "--seed", 7, "--force")
    assert states(summary("run", config)) == ["skipped", "done"]
    os.unlink("out/sub-1/sim-ave_sources.npy")
    assert states(summary("run", config)) == ["done", "skipped"]
    assert states(summary("run", config, "--set", "sources.lambda=0.4")) == ["done"] * 2
    assert states(summary("run", config, "--set", "sources.lambda=0.4", "--force")) == ["done"] * 2
    # what is not of a run's making is not replaced
    os.unlink("out/sub-1/sim-ave.taut.json")
    done = taut("run", config)
    assert done.returncode == 1 and "exists already" in said(done), said(done)


def test_a_failing_recording_does_not_stop_the_others():
    config = subjects(3)
    os.unlink("sub-2/sim-cov.fif")
    done = taut("run", config)
    assert done.returncode == 1 and "1 of 3 runs failed: " in said(done), said(done)
    assert os.path.exists("out/sub-3/sim-ave_sources.npy")
    assert not os.path.exists("out/sub-2")


def test_a_training_is_done_once():
    rand = random.Random(1)
    for name, n in (("x.csv", 12), ("d.csv", 16)):
        rows = [",".join(f"{rand.gauss(0, 1):.6f}" for _ in range(n)) for _ in range(8)]
        write(name, "\n".join(rows) + "\n")
    config = write("t.ini", TRAIN)
    refuses(4, "run", config, says="nets")
    os.mkdir("nets")
    assert states(summary("run", config, "--dry-run")) == ["ready"]
    told = summary("run", config)
    assert states(told) == ["done"] and told["runs"][0]["layers"] == 2
    assert states(summary("run", config)) == ["skipped"]
    succeeds("train", "--config", config, "-o", "alone.safetensors")
    assert pathlib.Path("alone.safetensors").read_bytes() == \
        pathlib.Path("nets/net.safetensors").read_bytes()
    assert states(summary("run", config, "--set", "train.layers=3")) == ["done"]
    write("x.csv", pathlib.Path("x.csv").read_text().replace("1", "2"))
    assert states(summary("run", config, "--set", "train.layers=3")) == ["done"]


def test_all_that_is_wrong_is_told_at_once():
    write("bad.ini", "[sources]\nrecordings = a.fif\nmodle = l21\ndepth = 7\nepoch = 1:0\n"
                     "tmin = nan\nreject = mog=1\n")
    done = taut("run", "bad.ini")
    assert done.returncode == 2
    lines = said(done).splitlines()
    assert [line.split(": ")[1] for line in lines[:5]] == [f"bad.ini:{i}" for i in range(3, 8)]
    assert "did you mean [sources] model?" in lines[0] and "0..5" in lines[1], lines
    assert [line.split(" is required")[0] for line in lines[5:]] == [
        f"taut: bad.ini: [sources] {key}" for key in ("folder", "forward", "noise_cov")]
    refuses(2, "run", write("net.ini", "[train]\nnetwork = slista\noutput = n\nlayers = 0\n"
                            "lambda_ratio = 0.1\ndata = x\n"), says="net.ini:4")


def test_values_are_refused_before_a_file_is_opened():
    base = ["sources", "absent.fif", "--forward", "absent", "--noise-cov", "absent", "-o", "out"]
    for option, value in (("--epoch", "1:0"), ("--baseline", "x"), ("--tmin", "nan"),
                          ("--tmax", "inf"), ("--band", "40:1"), ("--reject", "eeg=0"),
                          ("--orient", "loose=2"), ("--depth", "0,8"), ("--certify", "2")):
        refuses(2, *base, option, value, says=option)
    refuses(3, *base, says="absent.fif")


cli.run(globals())
