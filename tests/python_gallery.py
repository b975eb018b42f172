# SPDX-License-Identifier: BSD-3-Clause
"""The scripts of examples/python run, say what they found, and leave their figure.

    python_gallery.py TAUT
"""
import os
import pathlib
import subprocess
import sys

import cli
import pycase

FOLDER = pathlib.Path(__file__).resolve().parent.parent / "examples" / "python"
MEEG = pathlib.Path(os.environ.get("TAUT_DATA", "absent")) / "meeg"


def runs(name, says, *arguments, needs=()):
    for module in needs:
        pycase.need(module)
    done = subprocess.run([sys.executable, FOLDER / f"{name}.py", *arguments], capture_output=True,
                          check=False, text=True, env=cli.environment(MPLBACKEND="Agg"))
    absent = "matplotlib is absent" in done.stderr
    assert done.returncode == (1 if absent else 0), done.stderr
    assert says in done.stdout, done.stdout
    assert absent or pathlib.Path(f"{name}.png").read_bytes().startswith(b"\x89PNG")


def test_deconvolve_run():
    runs("deconvolve_run", "status [   0 1024]", needs=["nibabel"])


def test_parcels():
    runs("parcels", "6 parcels", needs=["nibabel", "sklearn"])


def test_path():
    runs("path", "bic: lambda 0.723, 12 jumps")


def test_network():
    runs("network", "8 layers", needs=["torch"])


def test_learn_lambda():
    runs("learn_lambda", "learnt 0.0515", needs=["torch"])


def test_learn_delay():
    runs("learn_delay", "delay 0.8 s, learnt 0.8", needs=["torch"])


def test_sources():
    if not MEEG.exists():
        raise cli.Skip(f"{MEEG} is absent")
    runs("sources", "taut: 15 sources", MEEG / "sample-ave.fif", "Left Auditory",
         MEEG / "sample-small-meg-eeg-fwd.fif", MEEG / "sample-cov.fif", needs=["mne"])


def test_every_example_is_run():
    tests = {name[5:] for name in globals() if name.startswith("test_")}
    assert {path.stem for path in FOLDER.glob("*.py")} <= tests


cli.run(globals())
