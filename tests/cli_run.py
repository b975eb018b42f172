#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""`taut run`: one configuration, one or many recordings; what is done is not done again.

    cli_run.py TAUT
"""
import gzip
import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import time

import cli
from cli import refuses, said, succeeds, summary, taut
from images import small_run

CONFIG = """
[input]
bold = %s
mask = none
[output]
folder = %s
"""


def write_config(bold="s*_bold.nii.gz", folder="out/{stem}", more="", name="c.ini"):
    pathlib.Path(name).write_text(CONFIG % (bold, folder) + more)
    return name


def three_runs():
    for i in (1, 2, 3):
        small_run(name=f"s{i}_bold.nii.gz", tr=1.0 + i)


def states(found):
    return [unit["state"] for unit in found["runs"]]


def test_a_dumped_configuration_gives_the_same_bytes():
    small_run()
    succeeds("deconv", "run_bold.nii.gz", "-o", "out", "--mask", "none", "--save", "all",
             "--lambda", "0.07", "--hrf", "glover", "--tr", "1.5", "--standardize", "psc")
    first = cli.contents("out")
    config = "out/run_desc-taut_config.ini"
    assert states(summary("run", config)) == ["skipped"]
    for name in first:
        if not name.endswith(".ini"):
            os.unlink(f"out/{name}")
    assert states(summary("run", config)) == ["done"]
    second = cli.contents("out")
    changed = {name for name in first if first[name] != second.get(name)}
    assert changed <= {"run_desc-taut_report.html", "run_desc-taut_report.json"}, changed
    assert set(first) == set(second)


def test_what_is_done_is_skipped_until_something_changes():
    three_runs()
    config = write_config()
    assert states(summary("run", config)) == ["done"] * 3
    assert states(summary("run", config)) == ["skipped"] * 3
    os.utime("s1_bold.nii.gz")  # another time, the same bytes
    assert states(summary("run", config)) == ["skipped"] * 3
    small_run(name="s2_bold.nii.gz", tr=9.0)
    assert states(summary("run", config)) == ["skipped", "done", "skipped"]
    os.unlink("out/s3/s3_stat-gap_boldmap.nii.gz")
    assert states(summary("run", config)) == ["skipped", "skipped", "done"]
    pathlib.Path("out/s1/s1.taut.json").write_text('{"state": "done", "version": 7}')
    assert states(summary("run", config)) == ["done", "skipped", "skipped"]
    assert states(summary("run", config, "--set", "solver.lambda=0.2")) == ["done"] * 3
    assert states(summary("run", config, "--force")) == ["done"] * 3


def test_one_failing_run_does_not_stop_the_others():
    three_runs()
    data = pathlib.Path("s2_bold.nii.gz").read_bytes()
    pathlib.Path("s2_bold.nii.gz").write_bytes(data[:len(data) // 2])
    done = taut("run", write_config(), "--json", "-q")
    assert done.returncode == 1
    found = json.loads(done.stdout)
    assert states(found) == ["done", "failed", "done"] and found["failed"] == 1
    lines = said(done).splitlines()
    assert len(lines) == 2 and "s2_bold.nii.gz" in lines[0], lines
    assert lines[1] == "taut: 1 of 3 runs failed: s2_bold.nii.gz", lines
    assert not pathlib.Path("out/s2").exists()


def test_a_single_run_ends_as_deconv_does():
    small_run()
    refuses(3, "run", write_config(bold="absent.nii"), says="absent.nii")
    refuses(3, "run", write_config(bold="absent*.nii"), says="absent*.nii")
    refuses(3, "run", "absent.ini", says="absent.ini")
    config = write_config(bold="run_bold.nii.gz", more="[solver]\nname = pgd\nmax_iter = 2\n")
    assert taut("run", config, "--set", "solver.strict=true").returncode == 5


def test_all_problems_of_a_configuration_are_told():
    config = write_config(more="[solver]\nlambda = 0,1\nnmae = exact\n[input]\ntr = 0\n")
    done = taut("run", config, "--set", "solver.tol=2")
    assert done.returncode == 2
    lines = said(done).splitlines()
    assert [line.split(" ")[1].rstrip(":") for line in lines] == \
        ["c.ini:8", "c.ini:9", "c.ini:11", "--set"], lines


def test_foreign_files_are_not_overwritten():
    small_run()
    config = write_config(bold="run_bold.nii.gz", folder="out")
    os.mkdir("out")
    pathlib.Path("out/run_desc-activity_bold.nii.gz").write_text("mine")
    refuses(4, "run", config, says="--force")
    assert cli.contents("out") == {"run_desc-activity_bold.nii.gz": b"mine"}
    succeeds("run", config, "--force")


def test_two_runs_may_not_write_the_same_files():
    os.mkdir("a")
    os.mkdir("b")
    small_run(name="a/run_bold.nii.gz")
    small_run(name="b/run_bold.nii.gz")
    refuses(2, "run", write_config(bold="?/run_bold.nii.gz", folder="out"), says="{up1}")
    succeeds("run", write_config(bold="?/run_bold.nii.gz", folder="out/{up1}"))
    assert {name.split("/")[0] for name in cli.contents("out")} == {"a", "b"}


def test_masks_are_one_for_all_or_one_for_each():
    three_runs()
    for i in (1, 2, 3):
        succeeds("deconv", f"s{i}_bold.nii.gz", "-o", "masks")
    several = write_config() + ".several"
    text = pathlib.Path("c.ini").read_text()
    pathlib.Path(several).write_text(text.replace("mask = none", "mask = masks/s*auto_mask.nii.gz"))
    assert states(summary("run", several)) == ["done"] * 3
    pathlib.Path(several).write_text(text.replace("mask = none", "mask = a.nii; b.nii"))
    refuses(2, "run", several, says="found 2")
    named = text.replace("mask = none", "mask = {folder}/masks/{stem}_desc-auto_mask.nii.gz")
    pathlib.Path(several).write_text(named)
    assert states(summary("run", several)) == ["skipped"] * 3  # the same masks


def test_a_dry_run_checks_and_touches_nothing():
    three_runs()
    config = write_config()
    succeeds("run", config, "--set", "input.bold=s1_bold.nii.gz", "--set", "output.folder=out/s1")
    before = cli.contents(".")
    assert states(summary("run", config, "--dry-run")) == ["skipped", "ready", "ready"]
    pathlib.Path("s3_bold.nii.gz").write_bytes(b"no image")
    done = taut("run", config, "--dry-run", "--json")
    assert done.returncode == 1 and states(json.loads(done.stdout)) == ["skipped", "ready", "failed"]
    del before["s3_bold.nii.gz"]
    after = cli.contents(".")
    del after["s3_bold.nii.gz"]
    assert before == after


def test_a_killed_run_is_made_good_by_the_next():
    three_runs()
    config = write_config()
    succeeds("run", config)
    reference = cli.images("out")
    # as a run that was killed between its outputs and its record leaves them
    record = pathlib.Path("out/s1/s1.taut.json")
    record.write_text(record.read_text().replace('"done"', '"started"'))
    pathlib.Path("out/s1/s1_desc-activity_bold.nii.gz").write_bytes(b"torn")
    namespace = os.readlink("/proc/self/ns/pid").strip("pid:[]")
    left = pathlib.Path(f"out/s1/.tmp-{os.uname().nodename}-999999999-{namespace}-abcdef")
    left.mkdir()
    (left / "s1_desc-activity_bold.nii.gz").write_bytes(b"half")
    assert states(summary("run", config)) == ["done", "skipped", "skipped"]
    assert cli.images("out") == reference
    cli.has_no_temporaries("out")


def test_an_output_that_is_not_as_it_was_written_is_made_again():
    three_runs()
    config = write_config()
    succeeds("run", config)
    reference = cli.images("out")
    assert states(summary("run", config)) == ["skipped"] * 3
    image = pathlib.Path("out/s1/s1_desc-activity_bold.nii.gz")
    image.write_bytes(b"")
    assert states(summary("run", config)) == ["done", "skipped", "skipped"]
    assert cli.images("out") == reference
    # of the same size, later: its bytes are looked at
    image = pathlib.Path("out/s2/s2_stat-gap_boldmap.nii.gz")
    data = image.read_bytes()
    image.write_bytes(data[:-1] + bytes([data[-1] ^ 1]))
    assert states(summary("run", config)) == ["skipped", "done", "skipped"]
    assert cli.images("out") == reference
    os.utime(image)
    assert states(summary("run", config)) == ["skipped"] * 3


def test_paranoia_finds_what_kept_size_and_time():
    three_runs()
    bold = pathlib.Path("s3_bold.nii.gz")
    voxels = bytearray(gzip.decompress(bold.read_bytes()))
    bold.write_bytes(gzip.compress(voxels, 0))
    config = write_config()
    succeeds("run", config)
    voxels[-1] ^= 1
    image = pathlib.Path("out/s1/s1_stat-gap_boldmap.nii.gz")
    data = image.read_bytes()
    for path, other, expected in ((bold, gzip.compress(voxels, 0), ["skipped", "skipped", "done"]),
                                  (image, data[:-1] + bytes([data[-1] ^ 1]), ["done", "skipped", "skipped"])):
        before = path.stat()
        path.write_bytes(other)
        os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
        assert path.stat().st_size == before.st_size
        assert states(summary("run", config)) == ["skipped"] * 3
        assert states(summary("run", config, "--paranoid")) == expected, path


def test_several_processes_on_one_configuration_all_end_well():
    three_runs()
    config = write_config()
    succeeds("run", config)
    reference = cli.images("out")
    for _ in range(3):
        shutil.rmtree("out")
        processes = [subprocess.Popen([cli.TAUT, "run", config, "-j", "1", "-q"], stdout=subprocess.DEVNULL,
                                      stderr=subprocess.PIPE) for _ in range(4)]
        for process in processes:
            _, err = process.communicate(timeout=120)
            assert process.returncode == 0, err
        assert cli.images("out") == reference
        cli.has_no_temporaries("out")


def test_of_two_runs_into_one_folder_one_is_published_whole():
    small_run()
    expected = {}
    for ratio in ("0.1", "0.3"):
        succeeds("deconv", "run_bold.nii.gz", "--mask", "none", "--lambda", ratio, "-o", ratio)
        expected[ratio] = cli.images(ratio)
    for _ in range(5):
        shutil.rmtree("both", ignore_errors=True)
        processes = {ratio: subprocess.Popen(
            [cli.TAUT, "deconv", "run_bold.nii.gz", "--mask", "none", "--lambda", ratio, "-o", "both", "-q"],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) for ratio in expected}
        ended = {ratio: process.wait(timeout=60) for ratio, process in processes.items()}
        assert set(ended.values()) <= {0, 4}, ended
        found = cli.images("both") if 0 in ended.values() else None
        assert found in [expected[ratio] for ratio in ended if ended[ratio] == 0] or found is None, ended
        assert list(ended.values()).count(0) <= 1, ended
        cli.has_no_temporaries("both")


def test_an_input_that_cannot_be_hashed_is_exit_3():
    shim = cli.fault_shim()
    small_run()
    base = {"LD_PRELOAD": shim, "FAULT_PATH": "run_bold", "FAULT_REPORT": "report"}
    words = ["deconv", "run_bold.nii.gz", "--mask", "none", "-j", "1", "-o"]
    succeeds(*words, "clean", env=cli.environment(**base))
    total = int(re.search(r"reads (\d+)", pathlib.Path("report").read_text()).group(1))
    assert total >= 3, total
    for point in range(1, total + 1):
        done = taut(*words, "out", env=cli.environment(**base, FAULT_READ_NTH=point))
        assert done.returncode == 3, (point, done.returncode, cli.said(done))
        assert not pathlib.Path("out").exists() or not cli.contents("out")


def test_a_configuration_of_nothing_but_problems_is_told_in_part():
    for line in ("nonsense\n", "[solver]\n", "[solver]\nx = 1\n", "[solver]\n{} = 1\n"):
        text = "".join(line.replace("{}", f"k{i}") for i in range(50000))
        pathlib.Path("c.ini").write_text(text[:1 << 20])
        done = taut("run", "c.ini", timeout=60)
        assert done.returncode == 2, said(done)
        assert len(said(done).splitlines()) <= 110, len(said(done).splitlines())


def test_a_signal_keeps_what_is_done():
    for i in range(1, 9):
        small_run(name=f"s{i}_bold.nii.gz", shape=(16, 16, 8, 60))
    config = write_config(more="[solver]\nname = pgd\ntol = 0\nmax_iter = 2000\n")
    child = subprocess.Popen([cli.TAUT, "run", config, "-j", "1"], stderr=subprocess.PIPE)
    while not pathlib.Path("out/s1/s1.taut.json").exists() and child.poll() is None:
        time.sleep(0.01)
    child.send_signal(signal.SIGTERM)
    child.wait(timeout=60)
    assert child.returncode == 143, child.returncode
    cli.has_no_temporaries("out")
    for folder in pathlib.Path("out").iterdir():
        record = json.loads((folder / f"{folder.name}.taut.json").read_text())
        assert record["state"] == "done", folder


if __name__ == "__main__":
    cli.run(globals())
