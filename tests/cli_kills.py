# SPDX-License-Identifier: BSD-3-Clause
"""Killed at any file operation and started again, a batch ends in the bytes of one never killed.

    cli_kills.py TAUT
"""
import pathlib
import re
import shutil

import cli
from cli import environment, has_no_temporaries, images, said
from images import small_run

CONFIG = """[input]
bold = run-*_bold.nii.gz
mask = none

[output]
folder = out
"""


def batch(**options):
    """The runs of one configuration, on one thread."""
    return cli.taut("run", "batch.ini", "-j", 1, **options)


def survives_kills(n_runs, **tear):
    """Kills at every gated call of the batch, then runs it again."""
    shim = cli.fault_shim()
    for number in range(n_runs):
        small_run(f"run-{number}_bold.nii.gz", shape=(3, 2, 2, 30))
    pathlib.Path("batch.ini").write_text(CONFIG)
    base = {"LD_PRELOAD": shim, "FAULT_PATH": "/out/", "FAULT_REPORT": "report"}
    done = batch(env=environment(**base))
    assert done.returncode == 0, said(done)
    expected = images("out")
    total = int(re.search(r"calls (\d+)", pathlib.Path("report").read_text()).group(1))
    assert total >= 20, total
    for point in range(1, total + 1):
        shutil.rmtree("out", ignore_errors=True)
        killed = batch(env=environment(**base, FAULT_KILL_NTH=point, **tear))
        assert killed.returncode == -9, f"call {point}: {killed.returncode}"
        resumed = batch()
        assert resumed.returncode == 0, f"call {point}: {said(resumed)}"
        assert images("out") == expected, f"call {point}: other bytes"
        has_no_temporaries("out")


# One command a line, in which what it reads is there: it may be given again after any kill.
COMMANDS = """
simulate tv --series 3 --observed 20 -o out
simulate fmri --voxels 60 --frames 10 -o out
simulate meeg -o out
convert in/sim-ave.fif out/a.edf
solve tv --data in/X.npy --lambda-ratio 0.1 -o out/U.npy
train lista --data in/X.npy --operator in/D.npy --lambda-ratio 0.3 --layers 2 --max-iter 3 -o out/net.safetensors
sources in/sim-ave.fif --forward in/sim-fwd.fif --noise-cov in/sim-cov.fif -o out
deconv run_bold.nii.gz --mask none -o out
"""


def lasting(folder):
    """What must not change: not the pages, which tell how long it took, nor what quotes them."""
    return {name: data for name, data in cli.contents(folder).items()
            if not name.endswith((".html", ".json", ".safetensors"))}


def test_a_command_that_was_killed_may_be_given_again():
    shim = cli.fault_shim()
    small_run("run_bold.nii.gz", shape=(3, 2, 2, 30))
    cli.succeeds("simulate", "meeg", "-o", "in")
    cli.succeeds("simulate", "lasso", "--series", "4", "--observed", "8", "--unknown", "12", "-o", "in")
    base = {"LD_PRELOAD": shim, "FAULT_PATH": "/out/", "FAULT_REPORT": "report"}
    for line in COMMANDS.strip().splitlines():
        words = [*line.split(), "-j", "1"]
        shutil.rmtree("out", ignore_errors=True)
        pathlib.Path("report").unlink(missing_ok=True)
        pathlib.Path("out").mkdir()
        cli.succeeds(*words, env=environment(**base))
        expected = lasting("out")
        total = int(re.search(r"calls (\d+)", pathlib.Path("report").read_text()).group(1))
        assert total >= 3, (line, total)
        for point in sorted({*range(1, total, max(1, total // 7)), total - 1, total}):
            shutil.rmtree("out", ignore_errors=True)
            pathlib.Path("out").mkdir()
            killed = cli.taut(*words, env=environment(**base, FAULT_KILL_NTH=point))
            assert killed.returncode == -9, f"{line}: call {point}: {killed.returncode}"
            again = cli.taut(*words)
            assert again.returncode == 0, f"{line}: call {point}: {said(again)}"
            assert lasting("out") == expected, f"{line}: call {point}: other bytes"
            has_no_temporaries("out")


def test_a_kill_at_any_call_loses_nothing():
    survives_kills(2)


def test_a_torn_write_at_any_kill_loses_nothing():
    survives_kills(1, FAULT_TEAR=1)


cli.run(globals())
