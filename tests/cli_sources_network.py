# SPDX-License-Identifier: BSD-3-Clause
"""`taut train --forward` on the leadfield of tests, and `taut sources --network` with what it made.

    cli_sources_network.py TAUT
"""
import json
import os
import pathlib
import random

import cli
from cli import contents, refuses, succeeds, summary

DATA = pathlib.Path(os.environ.get("TAUT_DATA", "absent")) / "meeg"
EVOKED = DATA / "sample-ave.fif"
FILES = ["--forward", DATA / "sample-small-meg-eeg-fwd.fif", "--noise-cov", DATA / "sample-cov.fif"]
BADS = ["--bads", "MEG 2443,EEG 053"]
WINDOW = ["--baseline", ":0", "--tmin", "0.04", "--tmax", "0.18"]
LEFT = ["--condition", "Left Auditory"]


def need_data():
    if not EVOKED.exists():
        raise cli.Skip(f"{EVOKED} is absent")


def train(*more, net="slista", output="net.safetensors", layers=3):
    need_data()
    return summary("train", net, *FILES, *BADS, "--lambda-ratio", "0.6", "--layers", layers,
                   "--max-iter", 15, "--samples", 16, "-o", output, "-q", "--force", *more)


def sources(*more, folder="out", bads=BADS):
    return summary("sources", EVOKED, *FILES, *bads, *LEFT, *WINDOW, "-o", folder, "-q", "--force",
                   *more)


def header(path):
    data = pathlib.Path(path).read_bytes()
    return json.loads(data[8:8 + int.from_bytes(data[:8], "little")])


def test_a_network_is_trained_on_a_recording_an_array_or_noise():
    counts = {}
    for name, data in {"noise": [], "all": ["--data", EVOKED, *WINDOW],
                       "left": ["--data", EVOKED, *WINDOW, *LEFT],
                       "two": ["--data", EVOKED, *WINDOW, *LEFT, "--condition", "Right visual"]
                       }.items():
        told = train(*data, output=name + ".safetensors", layers=1)
        metadata = header(name + ".safetensors")["__metadata__"]
        counts[name] = int(metadata["training"].split(", ")[1].split()[0])
        assert told["network"] == "slista" and told["parameters"] == 1, told
        assert metadata["leadfield"].startswith("360 498 360"), metadata
        assert len(metadata["leadfield"].split()) == 35
    assert counts == {"noise": 16, "all": 4 * 85, "left": 85, "two": 2 * 85}, counts
    rand = random.Random(1)
    rows = [",".join(repr(rand.gauss(0.0, 1.0)) for _ in range(360)) for _ in range(8)]
    pathlib.Path("x.csv").write_text("\n".join(rows) + "\n")
    told = train("--data", "x.csv", "--validation", "x.csv", layers=1)
    assert len(told["validation_loss"]) == 1, told
    pathlib.Path("x.csv").write_text("1,2,3\n4,5,6\n")
    refuses(3, "train", "slista", *FILES, *BADS, "--lambda-ratio", "0.6", "--data", "x.csv", "-o",
            "other.safetensors", says="360 whitened samples")


def test_sources_of_a_network_are_certified_and_near_the_minimum():
    told = train("--data", EVOKED, *WINDOW, layers=5)
    assert told["loss"]["end"][-1] < told["loss"]["start"][0], told
    found = sources("--network", "net.safetensors")
    network = found["network"]
    assert found["model"] == "lasso" and found["orientation"] == "fixed", found
    assert found["lambda_ratio"] == 0.6, found
    assert 0.0 < found["relative_gap"]["max"] < 0.1, found["relative_gap"]
    assert network["file"] == "net.safetensors" and network["layers"] == 5, network
    assert network["solved_exactly"] == 0 and network["rejected"] >= 0, network
    assert 0.0 < network["latency_ms"]["median"] <= network["latency_ms"]["max"], network
    assert network["block_samples"] >= 1, network
    fewer = sources("--network", "net.safetensors", "--layers", 1)
    assert fewer["network"]["layers"] == 1
    assert fewer["objective"] > found["objective"], (fewer["objective"], found["objective"])


def test_certified_samples_are_the_exact_ones():
    train("--data", EVOKED, *WINDOW)
    found = sources("--network", "net.safetensors", "--certify", "1e-9", folder="by_network")
    assert found["relative_gap"]["max"] <= 1e-9 and found["converged"], found["relative_gap"]
    assert found["network"]["solved_exactly"] > 0, found["network"]
    exact = sources("--model", "lasso", "--lambda", "0.6", folder="exact")
    assert exact["n_active"] == found["n_active"]
    assert abs(exact["objective"] - found["objective"]) <= 1e-9 * exact["objective"]
    table = [contents(folder)["sample-ave_sources.tsv"] for folder in ("by_network", "exact")]
    assert table[0] == table[1]


def test_outputs_do_not_depend_on_threads():
    train()
    for jobs in (1, 3):
        sources("--network", "net.safetensors", "-j", jobs, folder=f"jobs_{jobs}")
    one, three = contents("jobs_1"), contents("jobs_3")
    for name in one:
        if not name.endswith((".json", ".html")):  # they tell the time taken
            assert one[name] == three[name], name


def test_a_network_is_for_its_leadfield():
    train()
    base = ["sources", EVOKED, *LEFT, *WINDOW, "-o", "out", "--network", "net.safetensors"]
    refuses(3, *base, *FILES, says="expected a rank of 360, found 36")
    refuses(3, *base, "--forward", DATA / "sample-all-meg-eeg-fwd.fif", *FILES[2:], *BADS,
            says="expected a number of positions of 498, found 1984")
    refuses(3, *base, *FILES, *BADS, "--depth", "0.5", says="inner product")
    assert not pathlib.Path("out").exists()
    found = sources("--depth", "0.5", "--network", "net.safetensors", "--force-network")
    assert 0.0 < found["relative_gap"]["max"] < 1.0


def test_matrices_are_for_one_basis_of_whitened_space():
    # Without a recording, channels are in the order of the covariance: whitened space is turned.
    network = ["--network", "net.safetensors"]
    refused = ["sources", EVOKED, *FILES, *BADS, *LEFT, *WINDOW, "-o", "refused", *network]
    train(net="lista", layers=1)
    refuses(3, *refused, says="basis of whitened space")
    train("--data", EVOKED, *WINDOW, net="lista", layers=1)
    assert sources(*network)["network"]["kind"] == "lista"
    train(net="alista", layers=1)
    assert sources(*network)["network"]["kind"] == "alista"


def test_bench_times_solvers_and_a_network_on_a_leadfield():
    train("--data", EVOKED, *WINDOW)
    files = [*FILES, *BADS, *WINDOW, *LEFT, "--data", EVOKED]
    told = summary("bench", "sources", *files, "--network", "net.safetensors", "--series", "4",
                   "--rounds", "2", "-q")
    assert told["problem"] == "sources" and told["lambda_ratio"] == 0.6, told
    assert (told["n_series"], told["n_observed"], told["n_unknown"]) == (4, 360, 498), told
    solvers = {row["solver"]: row for row in told["solvers"]}
    assert list(solvers) == ["cd", "exact", "fista", "network"] and told["compare"] == "exact"
    assert solvers["exact"]["targets"][-1]["worst_gap"] <= 1e-10, solvers["exact"]
    network = told["network"]
    assert network["layers"] == 3 and network["us"] > 0.0 and 0.0 < network["worst_gap"] < 1.0
    window = told["l21"]
    assert window["n_active"] > 0 and all(t["relative_gap"] <= t["target"]
                                          for t in window["targets"]), window
    refuses(2, "bench", "sources", *FILES, says="--data")


def test_another_lambda_is_warned_about():
    train()
    run = ["sources", EVOKED, *FILES, *BADS, *LEFT, *WINDOW, "-q", "--network", "net.safetensors"]
    done = succeeds(*run, "-o", "out", "--lambda", "0.7")
    lines = cli.said(done).splitlines()
    assert len(lines) == 1 and "trained for 0.6 of the largest, used for 0.7" in lines[0], lines
    assert cli.said(succeeds(*run, "-o", "same")) == ""


def test_wrong_use_is_refused_in_one_line():
    train()
    base = ["sources", EVOKED, *FILES, *BADS, *LEFT, *WINDOW, "-o", "out"]
    network = ["--network", "net.safetensors"]
    refuses(2, *base, "--certify", "1e-6", says="--network")
    refuses(2, *base, *network, "--model", "l21", says="--model")
    refuses(2, *base, *network, "--orient", "free", says="--orient")
    refuses(2, *base, *network, "--layers", "4", says="1..3")
    refuses(2, *base, *network, "--certify", "2", says="--certify")
    refuses(3, *base, "--network", EVOKED, says="sample-ave.fif")
    words = ["train", "slista", "--lambda-ratio", "0.6", "-o", "other.safetensors"]
    refuses(2, *words, *FILES[:2], says="--noise-cov")
    refuses(2, *words, *FILES[:2], "--noise-cov", "baseline", says="--noise-cov")
    refuses(2, *words, *FILES, "--operator", "a.npy", says="one operator")
    refuses(2, *words, *FILES, "--samples", "0", says="--samples")
    refuses(2, *words, *FILES, "--bads", "MEG 9999", says="MEG 9999")
    refuses(2, *words, *FILES, "--data", EVOKED, "--condition", "Nowhere", says='"Nowhere"')
    refuses(2, "train", "lpgd-taut", *words[2:], *FILES, says="Lasso")
    pathlib.Path("i.csv").write_text("1,0\n0,1\n")
    succeeds("train", "slista", "--data", "i.csv", "--operator", "i.csv", "--lambda-ratio", "0.5",
             "--layers", "1", "--max-iter", "5", "-o", "plain.safetensors", "-q")
    refuses(3, *base, "--network", "plain.safetensors", says="train --forward")


cli.run(globals())
