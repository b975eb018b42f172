#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""`taut hrf` lists models, and prints a response as a file that can be used as one.

    cli_hrf.py TAUT
"""
import json

import cli


def hrf(*arguments):
    done = cli.taut("hrf", *arguments)
    return done.returncode, done.stdout.decode(), done.stderr.decode()


def test_models_are_listed_with_their_shapes():
    code, out, err = hrf()
    names = [line.split()[0] for line in out.splitlines()[1:]]
    assert code == 0 and err == "" and names == sorted(names), out
    assert {"spm", "glover", "double-gamma", "pyta"} <= set(names), names


def test_shape_of_the_default_response():
    code, out, _ = hrf("spm", "--tr", "2", "--json")
    [found] = json.loads(out)["responses"]
    assert code == 0 and abs(found["time_to_peak"] - 5.0) < 0.01, found
    assert abs(found["fwhm"] - 5.26) < 0.01 and abs(found["undershoot_time"] - 15.75) < 0.02
    assert abs(found["undershoot_ratio"] + 0.089) < 1e-3 and abs(found["sum"] - 1) < 1e-12
    assert [round(h, 3) for h in found["samples"][:6]] == [0, .087, .375, .385, .216, .077]


def test_printed_samples_are_a_response_again():
    _, text, _ = hrf("glover:ratio=0.35", "--tr", "1.5")
    with open("h.txt", "w") as file:
        file.write(text)
    _, direct, _ = hrf("glover:ratio=0.35", "--tr", "1.5", "--json")
    code, again, err = hrf("./h.txt", "--tr", "1.5", "--json")
    assert code == 0, err
    first, second = (json.loads(t)["responses"][0]["samples"] for t in (direct, again))
    assert first == second


def test_the_number_of_threads_may_stand_in_the_same_word():
    assert hrf("spm", "-j1", "--tr", "2") == hrf("spm", "-j", "1", "--tr", "2")
    assert hrf("spm", "-j0", "--tr", "2")[0] == 2


def test_unknown_names_get_a_suggestion():
    code, out, err = hrf("glovr")
    assert code == 2 and out == "" and '"glover"' in err and err.count("\n") == 1, err
    assert hrf("spm", "--tr", "0")[0] == 2
    assert hrf("spm", "--tr", "21")[0] == 2
    assert hrf("./absent.txt")[0] == 3


cli.run(globals())
