# SPDX-License-Identifier: BSD-3-Clause
"""A signal stops a command within seconds, with its exit status and nothing half-written.

    R08_signals.py TAUT
"""
import pathlib
import signal
import subprocess
import time

import cli
from cli import contents, has_no_temporaries
from images import small_run

# Far more iterations than these series need: a minute of work.
SHAPE = (24, 24, 24, 150)
SLOW = ["--solver", "pgd", "--tol", "0", "--max-iter", "2000", "--mask", "none"]


def start(*words):
    """Starts a command that takes a minute, and waits until it is at work."""
    process = subprocess.Popen([cli.TAUT, *words], stderr=subprocess.PIPE, start_new_session=True)
    time.sleep(1.5)
    assert process.poll() is None, process.communicate()
    return process


def deconv():
    small_run(shape=SHAPE)
    return start("deconv", "run_bold.nii.gz", "-o", "out", *SLOW)


def stops(number, status):
    process = deconv()
    begin = time.monotonic()
    process.send_signal(number)
    _, err = process.communicate(timeout=60)
    assert time.monotonic() - begin < 5.0
    assert process.returncode == status, (process.returncode, err)
    assert not contents("out"), contents("out").keys()
    has_no_temporaries(".")


def test_an_interrupt_ends_with_130():
    stops(signal.SIGINT, 130)


def test_a_termination_ends_with_143():
    stops(signal.SIGTERM, 143)


def test_a_second_signal_ends_at_once():
    process = deconv()
    begin = time.monotonic()
    process.send_signal(signal.SIGTERM)
    time.sleep(0.1)  # signals that wait together become one
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=60)
    assert time.monotonic() - begin < 1.0
    assert process.returncode == 143


cli.run(globals())
