#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""`taut reproduce` writes numbers, figure and checks; what is done is skipped.

    cli_reproduce.py TAUT
"""
import json
import os
import pathlib
import shutil

import cli


def one(name, folder, *options):
    [found] = cli.summary("reproduce", name, "-o", folder, "-q", *options)["experiments"]
    return found


def test_two_experiments_write_their_files_and_pass():
    for name in ("oista", "theory"):
        found = one(name, "out")
        folder = pathlib.Path("out") / name
        on_disk = json.loads((folder / "summary.json").read_text())
        assert found["id"] == name == on_disk["id"]
        assert {"id", "settings", "checks", "seconds"} <= set(on_disk), on_disk
        assert found["checks"] and all(check["passed"] for check in found["checks"]), found
        assert {"name", "passed", "value", "bound"} <= set(found["checks"][0])
        assert {"results.tsv", "config.ini", "figure.gp"} <= set(os.listdir(folder))
        head = (folder / "results.tsv").read_text().splitlines()[0]
        assert head.split("\t") == ["method", "step", "seed", "metric", "value"], head


def test_what_is_done_is_skipped_and_what_was_interrupted_is_not():
    one("oista", "out")
    again = cli.summary("reproduce", "oista", "-o", "out", "-q")
    assert again["experiments"] == [], again
    one("oista", "out", "--seed", "1")
    assert len(cli.summary("reproduce", "oista", "-o", "out", "-q", "--seed", "1", "--force")["experiments"]) == 1
    os.remove("out/oista/summary.json")
    one("oista", "out")


def test_the_same_seed_gives_the_same_numbers():
    for folder in ("a", "b"):
        one("oista", folder, "--seed", "3")
    one("oista", "c", "--seed", "4")
    numbers = [pathlib.Path(folder, "oista", "results.tsv").read_text() for folder in "abc"]
    assert numbers[0] == numbers[1] != numbers[2]


def test_a_check_that_fails_is_exit_1():
    # Of this seed the instance is one on which ISTA takes more than the 200 iterations.
    done = cli.taut("reproduce", "oista", "-o", "out", "-q", "--json", "--seed", "12")
    assert done.returncode == 1, cli.said(done)
    [found] = json.loads(done.stdout)["experiments"]
    assert not all(check["passed"] for check in found["checks"]), found


def test_figures_are_published_and_no_start_up_file_is_run():
    if shutil.which("gnuplot") is None:
        raise cli.Skip("gnuplot is not installed")
    pathlib.Path("home").mkdir()
    pathlib.Path("home/.gnuplot").write_text("set print 'was-run'\nprint 1\n")
    pathlib.Path("precious").write_text("precious")
    folder = pathlib.Path("out/oista")
    folder.mkdir(parents=True)
    (folder / "figure.svg").symlink_to("../../precious")
    cli.succeeds("reproduce", "oista", "-o", "out", "-q", env=cli.environment(HOME=os.path.abspath("home")))
    assert pathlib.Path("precious").read_text() == "precious"
    assert not list(pathlib.Path(".").rglob("was-run"))
    assert (folder / "figure.svg").read_text().rstrip().endswith("</svg>")
    assert not (folder / "figure.svg").is_symlink()
    assert (folder / "figure.png").stat().st_size > 1000
    cli.has_no_temporaries("out")


def test_a_figure_that_is_cut_is_exit_4():
    os.makedirs("bin")
    pathlib.Path("bin/gnuplot").write_text(
        "#!/bin/sh\nhidden=$(printf %s \"$3\" | cut -d \"'\" -f 2)\n"
        "for image in figure.svg figure.png; do printf '<svg>' > \"$hidden$image\"; done\n")
    os.chmod("bin/gnuplot", 0o755)
    path = os.path.abspath("bin") + ":" + os.environ["PATH"]
    done = cli.taut("reproduce", "oista", "-o", "out", "-q", env=cli.environment(PATH=path))
    assert done.returncode == 4 and "figure.svg: gnuplot: the image is cut" in cli.said(done), cli.said(done)
    assert not list(pathlib.Path("out").rglob("figure.[sp][vn]g"))
    assert not list(pathlib.Path("out").rglob("summary.json"))
    cli.has_no_temporaries("out")


def test_what_cannot_be_is_refused():
    cli.refuses(2, "reproduce", "oitsa", "-o", "out", says="oista")
    cli.refuses(2, "reproduce", "oista", says="-o DIR")
    cli.refuses(2, "reproduce", "oista", "-o", "out", "--data", "x.npy", says="takes none")
    cli.refuses(2, "reproduce", "ukbb", "-o", "out", "--data", "x.npy", says="TRAIN,TEST")
    cli.refuses(2, "reproduce", "all", "-o", "out", "--data", "x.npy", says="one experiment")
    cli.refuses(3, "reproduce", "ukbb", "-o", "out", "--data", "absent.npy,absent.npy")


cli.run(globals())
