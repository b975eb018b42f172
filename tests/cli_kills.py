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


def test_a_kill_at_any_call_loses_nothing():
    survives_kills(2)


def test_a_torn_write_at_any_kill_loses_nothing():
    survives_kills(1, FAULT_TEAR=1)


cli.run(globals())
