# SPDX-License-Identifier: BSD-3-Clause
"""A signal stops a command within seconds, with its exit status and nothing half-written.

    cli_signals.py TAUT
"""
import os
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


def catches_signals(process):
    """Whether a process has its handlers by now."""
    status = pathlib.Path(f"/proc/{process.pid}/status").read_text()
    [caught] = [line.split()[1] for line in status.splitlines() if line.startswith("SigCgt:")]
    return int(caught, 16) >> (signal.SIGTERM - 1) & 1


def start(*words):
    """Starts a command that takes a minute, and waits until it is at work."""
    # What ends at once leaves threads behind: no leak.
    options = os.environ.get("TSAN_OPTIONS", "") + ":report_thread_leaks=0"
    process = subprocess.Popen([cli.TAUT, *words], stderr=subprocess.PIPE, start_new_session=True,
                               env=cli.environment(TSAN_OPTIONS=options))
    while process.poll() is None and not catches_signals(process):
        time.sleep(0.05)
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


def test_a_hang_up_ends_as_a_termination():
    stops(signal.SIGHUP, 143)


def test_nohup_is_heard():
    small_run()
    done = subprocess.Popen([cli.TAUT, "deconv", "run_bold.nii.gz", "--mask", "none", "-o", "out"],
                            stderr=subprocess.PIPE, stdout=subprocess.DEVNULL,
                            preexec_fn=lambda: signal.signal(signal.SIGHUP, signal.SIG_IGN))
    while done.poll() is None:
        done.send_signal(signal.SIGHUP)
        time.sleep(0.01)
    assert done.returncode == 0, done.communicate()


def test_a_reader_of_messages_that_leaves_takes_no_output_with_it():
    small_run()
    reader, writer = os.pipe()
    os.close(reader)
    done = subprocess.run([cli.TAUT, "deconv", "run_bold.nii.gz", "--mask", "none", "-v", "-o", "out"],
                          stderr=writer, stdout=subprocess.DEVNULL, check=False)
    os.close(writer)
    assert done.returncode == 0, done.returncode
    assert "run_desc-activity_bold.nii.gz" in contents("out")
    has_no_temporaries(".")


def test_closed_standard_files_are_not_written_into_outputs():
    small_run()
    words = f"'{cli.TAUT}' deconv run_bold.nii.gz --mask none -j 1 -o"
    subprocess.run(["sh", "-c", f"{words} open"], check=True, capture_output=True)
    subprocess.run(["sh", "-c", f"{words} closed 0<&- 1>&- 2>&-"], check=True)
    assert cli.images("open") == cli.images("closed")


def test_a_second_signal_ends_at_once():
    process = deconv()
    begin = time.monotonic()
    process.send_signal(signal.SIGTERM)
    time.sleep(0.1)  # signals that wait together become one
    process.send_signal(signal.SIGTERM)
    _, err = process.communicate(timeout=60)
    assert time.monotonic() - begin < (1.0 if cli.SANITIZER == "none" else 5.0)
    assert process.returncode == 143, (process.returncode, err)


def test_a_stopped_batch_keeps_what_is_done_and_goes_on():
    small_run("a_bold.nii.gz")
    small_run("b_bold.nii.gz", shape=SHAPE)
    pathlib.Path("batch.ini").write_text(
        "[input]\nbold = a_bold.nii.gz;b_bold.nii.gz\nmask = none\n[output]\nfolder = out\n"
        "[solver]\nname = pgd\ntol = 0\nmax_iter = 2000\n")
    process = start("run", "batch.ini")
    first = pathlib.Path("out/a_desc-activity_bold.nii.gz")
    for _ in range(600):
        if first.exists():
            break
        time.sleep(0.1)
    time.sleep(1.0)
    process.terminate()
    process.communicate(timeout=60)
    assert process.returncode == 143
    assert first.exists()
    assert not pathlib.Path("out/b_desc-activity_bold.nii.gz").exists()
    has_no_temporaries(".")


cli.run(globals())
