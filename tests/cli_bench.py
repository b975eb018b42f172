#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""`taut bench` times solvers on the same data and tells what each has reached.

    cli_bench.py TAUT
"""
import json
import os
import shutil

import cli


def bench(*arguments):
    done = cli.taut("bench", *arguments, "-q")
    return done.returncode, done.stdout.decode(), done.stderr.decode()


def rows(*arguments):
    code, out, err = bench(*arguments, "--json")
    assert code == 0, err
    facts = json.loads(out)
    return facts, {row["solver"]: row for row in facts["solvers"]}


QUICK = ("--series", "8", "--rounds", "2", "--observed", "60", "--max-iter", "2000")


def test_gaps_reached_are_those_asked_for():
    facts, found = rows("tv", *QUICK, "--solvers", "fista,pgd")
    assert facts["command"] == "bench" and facts["problem"] == "tv" and facts["n_series"] == 8
    for row in found.values():
        last = 0
        for target in row["targets"]:
            if target.get("reached"):
                assert target["us"] > 0 and target["worst_gap"] <= target["relative_gap"], target
                assert target["iterations"] >= last, row
                last = target["iterations"]
        assert row["targets"][2]["reached"], row


def test_ratio_to_itself_is_one():
    facts, found = rows("tv", *QUICK, "--solvers", "fista,apgd", "--compare", "fista")
    assert facts["compare"] == "fista"
    assert found["fista"]["targets"][4]["ratio"] == 1


def test_methods_that_do_not_apply_say_why():
    _, found = rows("tv", *QUICK, "--law", "dense", "--unknown", "90", "--solvers", "fista,dual-pgd")
    assert "rank" in found["dual-pgd"]["refused"] and "refused" not in found["fista"]


def test_own_data_are_used():
    for kind, operator in (("tv", "hrf.txt"), ("lasso", "D.npy")):
        cli.taut("simulate", kind, "-o", kind, "--series", "5", "--observed", "40")
    facts, _ = rows("tv", "--data", "tv/X.npy", "--hrf", "tv/hrf.txt", "--solvers", "fista",
                    "--max-iter", "50")
    assert facts["n_series"] == 5 and facts["n_observed"] == 40 == facts["n_unknown"], facts
    facts, _ = rows("lasso", "--data", "lasso/X.npy", "--operator", "lasso/D.npy", "--solvers",
                    "fista", "--max-iter", "50", "--series", "3")
    assert facts["n_series"] == 3 and facts["n_unknown"] == 256, facts
    code, _, err = bench("lasso", "--data", "tv/X.npy", "--operator", "tv/X.npy")
    assert code == 3 and "tv/X.npy" in err and err.count("\n") == 1, err


def test_table_and_script_of_the_figure_stay():
    code, out, err = bench("tv", *QUICK, "--solvers", "fista,pgd", "-o", "f")
    assert code == 0, err
    with open("f/bench_tv.tsv") as file:
        table = [line.rstrip("\n").split("\t") for line in file]
    assert table[0] == ["solver", "us", "relative_gap"]
    assert {row[0] for row in table[1:]} == {"fista", "pgd"}
    assert os.path.exists("f/bench_tv.gp")
    if shutil.which("gnuplot"):
        assert os.path.getsize("f/bench_tv.svg") > 1000 and os.path.getsize("f/bench_tv.png") > 1000
    assert bench("tv", *QUICK, "--solvers", "fista", "-o", "f")[0] == 4
    assert "fista" in out and "1e-10" in out


def test_every_method_takes_part_by_default():
    _, found = rows("lasso", "--series", "4", "--rounds", "1", "--observed", "10", "--unknown", "20")
    assert {"fista", "ista", "cd", "lars"} <= set(found), found.keys()


def test_prox_is_timed_per_sample():
    code, out, _ = bench("prox", "--rounds", "1", "--json")
    found = json.loads(out)["rows"]
    assert code == 0 and {row["signal"] for row in found} >= {"noise", "ramp"}, found
    assert all(0 < row["ns_per_sample"] < 1e5 for row in found)


def test_wrong_options_are_refused_in_one_line():
    for case in (["nothing"], ["tv", "--solvers", "fisto"], ["tv", "--compare", "nobody"],
                 ["tv", "--law", "x"], ["tv", "--lambda-ratio", "2"], ["lasso", "--operator", "D"],
                 ["tv", "--conv", "half"], ["tv", "--rounds", "0"]):
        code, out, err = bench(*case)
        assert code == 2 and out == "" and err.count("\n") == 1, (case, code, err)
    code, _, err = bench("tv", "--data", "absent.npy")
    assert code == 3 and err.count("\n") == 1, err


cli.run(globals())
