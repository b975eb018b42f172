# SPDX-License-Identifier: BSD-3-Clause
"""Files and folders of any name are used as they are, and shown escaped.

    cli_hostile_names.py TAUT
"""
import os
import pathlib

import cli
from cli import images, refuses, said, succeeds
from images import small_run

ODD = {
    "newline": b"a\nb",
    "quote": b"it's \"so\"",
    "substitution": b"$(touch planted) `touch planted`",
    "percent": b"100%s%n",
    "semicolon": b"a;b&c|d",
    "escape": b"\x1b[31mred",
    "bad_utf8": b"caf\xe9",
    "star": b"*[a]?",
    "long": b"n" * 200,
    "space": b" both ends ",
}


def test_odd_names_of_inputs_and_folders_work():
    for name in ODD.values():
        image = name + b"_bold.nii.gz"
        os.rename(small_run("plain.nii.gz"), image)
        done = succeeds("deconv", "--mask", "none", "--json", "-o", name, b"./" + image)
        assert os.path.exists(os.path.join(name, name + b"_desc-activity_bold.nii.gz"))
        assert not os.path.exists("planted")
        done.stdout.decode("utf-8")  # JSON is UTF-8 whatever the name
        assert b"\x1b" not in done.stdout + done.stderr


def test_odd_names_are_escaped_in_messages():
    for name in ODD.values():
        done = refuses(3, "info", b"./" + name)
        assert done.stderr.decode("utf-8")[:-1].isprintable(), said(done)


def shows_nothing_raw(done):
    for line in (done.stdout + done.stderr).split(b"\n"):
        assert line.decode("utf-8").isprintable(), line


def test_results_show_odd_names_escaped():
    succeeds("simulate", "tv", "--series", "2", "--observed", "20", "-o", "arrays")
    for name in ODD.values():
        if b"/" in name or len(name) > 100:
            continue
        image = name + b"_bold.nii.gz"
        os.rename(small_run("plain.nii.gz"), image)
        for words in (["deconv", "--mask", "none", "-o", name, b"./" + image],
                      ["report", name],
                      ["simulate", "tv", "--series", "2", "--observed", "20", "-o", name + b"2"],
                      ["solve", "tv", "--data", "arrays/X.npy", "--lambda-ratio", "0.1", "-o", name + b".npy"],
                      ["info", b"./" + image]):
            shows_nothing_raw(succeeds(*words))
    os.rename(small_run("plain.nii.gz"), b"x\x1b[2Jy_bold.nii.gz")
    pathlib.Path("c.ini").write_text("[input]\nbold = x*_bold.nii.gz\nmask = none\n[output]\nfolder = last\n")
    for words in (["--dry-run"], [], []):
        shows_nothing_raw(succeeds("run", "c.ini", *words))


def test_a_pipe_in_the_place_of_a_file_is_refused_at_once():
    pathlib.Path("d").mkdir()
    os.mkfifo("d/x_desc-taut_report.json")
    os.mkfifo("pipe.ini")
    os.mkfifo("pipe_bold.nii.gz")
    for words in (["report", "d"], ["run", "pipe.ini"], ["info", "pipe.ini"],
                  ["solve", "tv", "--data", "pipe.ini", "--lambda", "1", "-o", "u.npy"],
                  ["deconv", "pipe_bold.nii.gz", "--mask", "none", "-o", "out"]):
        refuses(3, *words, says="named pipe", timeout=20)


def test_a_leading_dash_is_no_option_after_two_dashes():
    small_run("-run_bold.nii.gz")
    succeeds("deconv", "--mask", "none", "-o", "out", "--", "-run_bold.nii.gz")
    succeeds("deconv", "--mask", "none", "-o", "-out", "./-run_bold.nii.gz")
    assert images("out") == images("-out")


def test_an_output_name_over_255_bytes_is_refused():
    name = "n" * 248 + ".nii.gz"
    small_run(name)
    refuses(4, "deconv", name, "--mask", "none", "-q", "-o", "out", says="name too long")


def test_a_link_in_place_of_an_output_is_not_followed():
    small_run()
    pathlib.Path("out").mkdir()
    pathlib.Path("out/precious").write_text("keep\n")
    link = pathlib.Path("out") / "run_desc-activity_bold.nii.gz"
    link.symlink_to("precious")
    refuses(4, "deconv", "run_bold.nii.gz", "--mask", "none", "-o", "out")
    pathlib.Path("out/precious").rename("precious")
    refuses(4, "deconv", "run_bold.nii.gz", "--mask", "none", "-o", "out")
    pathlib.Path("precious").rename("out/precious")
    succeeds("deconv", "run_bold.nii.gz", "--mask", "none", "-o", "out", "--force")
    assert pathlib.Path("out/precious").read_text() == "keep\n"
    assert not link.is_symlink()


def test_a_dangling_link_is_named():
    pathlib.Path("a_bold.nii.gz").symlink_to("nowhere.nii.gz")
    refuses(3, "info", "a_bold.nii.gz", says="link to a missing file")
    pathlib.Path("b_bold.nii.gz").symlink_to(".git/annex/objects/XX/MD5E-s1.nii.gz")
    refuses(3, "info", "b_bold.nii.gz", says="datalad get")


cli.run(globals())
