# SPDX-License-Identifier: BSD-3-Clause
"""The same numbers in, the same images out, whatever the threads, container or surroundings.

    cli_same_bytes.py TAUT
"""
import gzip
import os
import pathlib
import shutil
import subprocess

import cli
from cli import environment, images, succeeds
from images import small_run

SHAPE = (7, 5, 3, 60)


def deconv(name="run_bold.nii.gz", out="out", *arguments, **options):
    """The images that this run gives."""
    succeeds("deconv", name, "--mask", "none", "--save", "all", "-o", out, *arguments, **options)
    return images(out)


def test_the_number_of_threads_changes_nothing():
    small_run(shape=SHAPE)
    expected = deconv()
    for jobs in (1, 2, 3, 8):
        assert deconv("run_bold.nii.gz", f"jobs{jobs}", "-j", jobs) == expected


def test_the_container_of_the_input_changes_nothing():
    expected = None
    for name in ("run_bold.nii", "run_bold.nii.gz", "run_bold.hdr"):
        for order in ("<", ">"):
            small_run(name, shape=SHAPE, order=order)
            found = deconv(name, "out" + name + str(ord(order)))
            expected = expected or found
            assert found == expected, (name, order)


def test_members_of_a_gzip_input_change_nothing():
    plain = small_run("run_bold.nii", shape=SHAPE).read_bytes()
    expected = deconv("run_bold.nii", "plain")
    cut = [0, 100, 352, 5000, 5000, len(plain)]
    members = b"".join(gzip.compress(plain[a:b]) for a, b in zip(cut, cut[1:]))
    pathlib.Path("run_bold.nii.gz").write_bytes(members)
    assert deconv(out="members") == expected


def test_locale_and_time_zone_change_nothing():
    small_run(shape=SHAPE)
    expected = deconv(out="c", env=environment(LC_ALL="C", TZ="UTC"))
    for number, zone in enumerate(("Asia/Kathmandu", "XYZ+11:45")):
        assert deconv(out=f"tz{number}", env=environment(TZ=zone)) == expected
    assert deconv(out="utf8", env=environment(LC_ALL="C.UTF-8")) == expected


def test_a_locale_with_decimal_commas_changes_nothing():
    small_run(shape=SHAPE)
    os.mkdir("locales")
    made = shutil.which("localedef") and subprocess.run(
        ["localedef", "-i", "de_DE", "-f", "UTF-8", "locales/de_DE.UTF-8"],
        capture_output=True, check=False).returncode == 0
    if not made:
        raise cli.Skip("no locale de_DE can be made here")
    # With LOCPATH, glibc keeps the list of its folders for good: 41 bytes, which are no leak of ours.
    comma = environment(LOCPATH=os.path.abspath("locales"), LC_ALL="de_DE.UTF-8",
                        ASAN_OPTIONS="detect_leaks=0")
    assert deconv(out="de", env=comma) == deconv(out="c")
    words = ["hrf", "spm", "--tr", "0.735", "--json"]
    assert succeeds(*words, env=comma).stdout == succeeds(*words).stdout


def test_umask_changes_modes_alone():
    small_run(shape=SHAPE)
    expected = deconv(out="usual")
    for mask in (0o022, 0o077):
        out = f"umask{mask:o}"
        found = deconv("run_bold.nii.gz", out, preexec_fn=lambda mask=mask: os.umask(mask))
        assert found == expected
        for path in pathlib.Path(out).iterdir():
            assert path.stat().st_mode & 0o777 == 0o666 & ~mask, path


def test_the_working_folder_changes_nothing():
    small_run(shape=SHAPE)
    expected = deconv()
    os.mkdir("elsewhere")
    succeeds("deconv", "../run_bold.nii.gz", "--mask", "none", "--save", "all", "-o", "o",
             cwd="elsewhere")
    assert images("elsewhere/o") == expected


def test_the_dumped_configuration_gives_the_same_images():
    small_run(shape=SHAPE)
    expected = deconv("run_bold.nii.gz", "out", "--lambda", "0.23", "--hrf", "glover")
    dumped = pathlib.Path("out/run_desc-taut_config.ini")
    before = dumped.read_bytes()
    succeeds("run", dumped, "--force")
    assert images("out") == expected
    assert dumped.read_bytes() == before


cli.run(globals())
