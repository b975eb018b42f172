# SPDX-License-Identifier: BSD-3-Clause
"""A write that fails is exit 4 and names the file; what stands under a final name is whole.

    cli_write_faults.py TAUT
"""
import errno
import os
import pathlib
import re
import resource
import shutil
import subprocess

import cli
from cli import contents, environment, has_no_temporaries, images, said
from images import small_run

# On one thread, so that the nth call is always the same.
WORDS = ["deconv", "run_bold.nii.gz", "--mask", "none", "-j", "1", "-q"]


def deconv(out="out", *arguments, **options):
    """The command under test."""
    return cli.taut(*WORDS, "-o", out, *arguments, **options)


def reference():
    """The images of a run that nothing disturbed."""
    small_run()
    done = deconv("reference")
    assert done.returncode == 0, said(done)
    return images("reference")


def has_failed_well(done, expected):
    """Exit 4, the name of an output and the reason in one line, nothing half-written."""
    assert done.returncode == 4, f"status {done.returncode}: {said(done)}"
    assert re.fullmatch(r"taut: out\b.*: .+\n", said(done)), said(done)
    has_no_temporaries("out")
    for name, data in contents("out").items():
        if name in expected:
            assert data == expected[name], f"{name} is there, but not whole"


def sweep(points, **fault):
    """Runs with the fault at each point, whose number stands for `{}` in the values."""
    shim = cli.fault_shim()
    expected = reference()
    base = {"LD_PRELOAD": shim, "FAULT_PATH": "/out/", "FAULT_REPORT": "report"}
    done = deconv(env=environment(**base))
    assert done.returncode == 0, said(done)
    total = int(re.search(points + r" (\d+)", pathlib.Path("report").read_text()).group(1))
    assert total >= 10, total
    for point in range(1, total + 1):
        shutil.rmtree("out", ignore_errors=True)
        values = {name: value.format(point) for name, value in fault.items()}
        has_failed_well(deconv(env=environment(**base, **values)), expected)


def test_no_space_at_any_write():
    sweep("writes", FAULT_WRITE_NTH="{}", FAULT_WRITE_ERRNO=str(errno.ENOSPC))


def test_input_output_error_at_any_write():
    sweep("writes", FAULT_WRITE_NTH="{}", FAULT_WRITE_ERRNO=str(errno.EIO))


def test_quota_reached_at_any_write():
    sweep("writes", FAULT_WRITE_NTH="{}", FAULT_WRITE_ERRNO=str(errno.EDQUOT))


def test_any_rename_fails():
    sweep("renames", FAULT_RENAME_NTH="{}")


def test_sync_or_close_fails():
    shim = cli.fault_shim()
    expected = reference()
    for fault in ("FAULT_FSYNC", "FAULT_CLOSE"):
        env = environment(LD_PRELOAD=shim, FAULT_PATH="/out/", **{fault: errno.EIO})
        has_failed_well(deconv(env=env), expected)


def test_an_older_output_stays_when_the_new_one_fails():
    shim = cli.fault_shim()
    expected = reference()
    assert deconv().returncode == 0
    before = contents("out")
    env = environment(LD_PRELOAD=shim, FAULT_PATH="/out/", FAULT_WRITE_AFTER=100)
    has_failed_well(deconv("out", "--lambda", "0.5", "--force", env=env), expected)
    assert contents("out") == before


def test_a_file_larger_than_the_limit():
    expected = reference()
    done = deconv(preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (700, 700)))
    has_failed_well(done, expected)


def test_a_folder_that_cannot_be_made():
    small_run()
    pathlib.Path("out").write_text("a file\n")
    cli.refuses(4, *WORDS, "-o", "out", says="out")
    cli.refuses(4, *WORDS, "-o", "out/below", says="out")
    assert pathlib.Path("out").read_text() == "a file\n"


def test_a_folder_that_cannot_be_written():
    if os.geteuid() == 0:
        raise cli.Skip("root may write everywhere")
    small_run()
    pathlib.Path("out").mkdir(mode=0o555)
    cli.refuses(4, *WORDS, "-o", "out", says="out")


def test_a_full_device_behind_stdout_and_log():
    with open("/dev/full", "wb") as full:
        done = subprocess.run([cli.TAUT, "hrf", "spm", "--tr", "2"], stdout=full, check=False,
                              stderr=subprocess.PIPE)
    assert done.returncode == 4, done
    small_run()
    cli.refuses(4, *WORDS, "-o", "out", "--log", "/dev/full", says="/dev/full")


def test_a_small_file_system():
    small_run(shape=(16, 16, 8, 200))
    pathlib.Path("out").mkdir()
    script = 'mount -t tmpfs -o size=1m tmpfs out || exit 77; exec "$@"'
    done = subprocess.run(["unshare", "--mount", "sh", "-c", script, "sh", cli.TAUT, *WORDS,
                           "--save", "all", "-o", "out"], capture_output=True, check=False)
    if done.returncode in (1, 77, 127) and b"taut:" not in done.stderr:
        raise cli.Skip("no file system can be mounted here")
    assert done.returncode == 4 and "out/" in said(done), said(done)


cli.run(globals())
