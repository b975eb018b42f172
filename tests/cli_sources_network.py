# SPDX-License-Identifier: BSD-3-Clause
"""`taut train --forward` on the leadfield of tests, and `taut sources --network` with what it made.

    cli_sources_network.py TAUT
"""
import atexit
import json
import os
import pathlib
import random
import shutil
import tempfile

import cli
from cli import contents, refuses, succeeds, summary

DATA = pathlib.Path(os.environ.get("TAUT_DATA", "absent")).absolute() / "meeg"


class Field:
    """An average on a leadfield: the files, what is chosen of them, and the sizes that follow."""

    def __init__(self, evoked, forward, noise_cov, other, bads, window, sizes):
        self.evoked, self.other = evoked, other
        self.files = ["--forward", forward, "--noise-cov", noise_cov]
        self.bads = ["--bads", bads]
        self.window = window
        self.n_channels, self.n_positions, self.n_others, self.n_time = sizes


def simulate():
    """A field that every clone has: 20 sites of three sensors, 16 electrodes."""
    folder = pathlib.Path(tempfile.mkdtemp(prefix="taut-field-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    for name, positions in {"sim": 300, "other": 400}.items():
        succeeds("simulate", "meeg", "-o", folder / name, "--positions", positions, "--sensors", 20,
                 "--eeg", 16, "--snr", 10, "--seed", 5, "-q")
    files = [folder / "sim" / f"sim-{kind}.fif" for kind in ("ave", "fwd", "cov")]
    return Field(*files, folder / "other" / "sim-fwd.fif", "MEG 0011",
                 ["--tmin", "0.04", "--tmax", "0.18"], (74, 300, 400, 85))


def real():
    evoked = DATA / "sample-ave.fif"
    if not evoked.exists():
        raise cli.Skip(f"{evoked} is absent")
    return Field(evoked, DATA / "sample-small-meg-eeg-fwd.fif", DATA / "sample-cov.fif",
                 DATA / "sample-all-meg-eeg-fwd.fif", "MEG 2443,EEG 053",
                 ["--condition", "Left Auditory", "--baseline", ":0", "--tmin", "0.04",
                  "--tmax", "0.18"], (360, 498, 1984, 85))


SIMULATED = simulate()


def fields():
    """The simulated field, and the real one where it is there."""
    return [SIMULATED] + ([real()] if DATA.exists() else [])


def train(field, *more, net="slista", output="net.safetensors", layers=3):
    return summary("train", net, *field.files, *field.bads, "--lambda-ratio", "0.6", "--layers",
                   layers, "--max-iter", 15, "--samples", 16, "-o", output, "-q", "--force", *more)


def sources(field, *more, folder="out"):
    return summary("sources", field.evoked, *field.files, *field.bads, *field.window, "-o", folder,
                   "-q", "--force", *more)


def header(path):
    data = pathlib.Path(path).read_bytes()
    return json.loads(data[8:8 + int.from_bytes(data[:8], "little")])


def n_series(network):
    return int(header(network)["__metadata__"]["training"].split(", ")[1].split()[0])


def check_training(field):
    for name, data, expected in [("noise", [], 16),
                                 ("all", ["--data", field.evoked, *field.window], field.n_time)]:
        told = train(field, *data, output=name + ".safetensors", layers=1)
        assert told["network"] == "slista" and told["parameters"] == 1, told
        assert n_series(name + ".safetensors") == expected
        leadfield = header(name + ".safetensors")["__metadata__"]["leadfield"]
        rank = field.n_channels
        assert leadfield.startswith(f"{rank} {field.n_positions} {rank}"), leadfield
        assert len(leadfield.split()) == 35


def test_a_network_is_trained_on_an_average_an_array_or_noise():
    field = SIMULATED
    check_training(field)
    rand = random.Random(1)
    rows = [",".join(repr(rand.gauss(0.0, 1.0)) for _ in range(field.n_channels)) for _ in range(8)]
    pathlib.Path("x.csv").write_text("\n".join(rows) + "\n")
    told = train(field, "--data", "x.csv", "--validation", "x.csv", layers=1)
    assert len(told["validation_loss"]) == 1, told
    pathlib.Path("x.csv").write_text("1,2,3\n4,5,6\n")
    refuses(3, "train", "slista", *field.files, *field.bads, "--lambda-ratio", "0.6", "--data",
            "x.csv", "-o", "other.safetensors", says=f"{field.n_channels} whitened samples")


def test_a_network_is_trained_on_the_conditions_that_are_named():
    field = real()
    check_training(field)
    for more, expected in [([], 4 * 85), (["--condition", "Left Auditory"], 85),
                           (["--condition", "Left Auditory", "--condition", "Right visual"],
                            2 * 85)]:
        train(field, "--data", field.evoked, *field.window[2:], *more, layers=1)
        assert n_series("net.safetensors") == expected


def test_sources_of_a_network_are_certified_and_near_the_minimum():
    for field in fields():
        told = train(field, "--data", field.evoked, *field.window, layers=5)
        assert told["loss"]["end"][-1] < told["loss"]["start"][0], told
        found = sources(field, "--network", "net.safetensors")
        network = found["network"]
        assert found["model"] == "lasso" and found["orientation"] == "fixed", found
        assert found["lambda_ratio"] == 0.6, found
        assert 0.0 < found["relative_gap"]["max"] < 0.1, found["relative_gap"]
        assert network["file"] == "net.safetensors" and network["layers"] == 5, network
        assert network["solved_exactly"] == 0 and network["rejected"] >= 0, network
        assert 0.0 < network["latency_ms"]["median"] <= network["latency_ms"]["max"], network
        assert network["block_samples"] >= 1, network
        fewer = sources(field, "--network", "net.safetensors", "--layers", 1)
        assert fewer["network"]["layers"] == 1
        assert fewer["objective"] > found["objective"], (fewer["objective"], found["objective"])


def test_certified_samples_are_the_exact_ones():
    for field in fields():
        train(field, "--data", field.evoked, *field.window)
        found = sources(field, "--network", "net.safetensors", "--certify", "1e-9",
                        folder="by_network")
        assert found["relative_gap"]["max"] <= 1e-9 and found["converged"], found["relative_gap"]
        assert found["network"]["solved_exactly"] > 0, found["network"]
        exact = sources(field, "--model", "lasso", "--lambda", "0.6", folder="exact")
        assert exact["n_active"] == found["n_active"]
        assert abs(exact["objective"] - found["objective"]) <= 1e-9 * exact["objective"]
        table = [contents(folder)[field.evoked.stem + "_sources.tsv"]
                 for folder in ("by_network", "exact")]
        assert table[0] == table[1]


def test_outputs_do_not_depend_on_threads():
    field = SIMULATED
    train(field)
    for jobs in (1, 3):
        sources(field, "--network", "net.safetensors", "-j", jobs, folder=f"jobs_{jobs}")
    one, three = contents("jobs_1"), contents("jobs_3")
    for name in one:
        if not name.endswith((".json", ".html")):  # they tell the time taken
            assert one[name] == three[name], name


def test_a_network_is_for_its_leadfield():
    field = SIMULATED
    train(field)
    base = ["sources", field.evoked, *field.window, "-o", "out", "--network", "net.safetensors"]
    refuses(3, *base, *field.files, says=f"expected a rank of {field.n_channels}, found")
    refuses(3, *base, "--forward", field.other, *field.files[2:], *field.bads,
            says=f"positions of {field.n_positions}, found {field.n_others}")
    refuses(3, *base, *field.files, *field.bads, "--depth", "0.5", says="inner product")
    assert not pathlib.Path("out").exists()
    found = sources(field, "--depth", "0.5", "--network", "net.safetensors", "--force-network")
    assert 0.0 < found["relative_gap"]["max"] < 1.0


def test_matrices_are_for_one_basis_of_whitened_space():
    # Without a recording, channels are in the order of the covariance: whitened space is turned.
    field = real()
    train(field, net="lista", layers=1)
    refuses(3, "sources", field.evoked, *field.files, *field.bads, *field.window, "-o", "refused",
            "--network", "net.safetensors", says="basis of whitened space")


def test_networks_with_matrices_find_sources():
    field = SIMULATED
    for net, data in {"lista": ["--data", field.evoked, *field.window], "alista": []}.items():
        train(field, *data, net=net, layers=1)
        assert sources(field, "--network", "net.safetensors")["network"]["kind"] == net


def test_bench_times_solvers_and_a_network_on_a_leadfield():
    field = SIMULATED
    train(field, "--data", field.evoked, *field.window)
    files = [*field.files, *field.bads, *field.window, "--data", field.evoked]
    told = summary("bench", "sources", *files, "--network", "net.safetensors", "--series", "4",
                   "--rounds", "2", "-q")
    assert told["problem"] == "sources" and told["lambda_ratio"] == 0.6, told
    assert (told["n_series"], told["n_observed"], told["n_unknown"]) == (4, field.n_channels,
                                                                            field.n_positions), told
    solvers = {row["solver"]: row for row in told["solvers"]}
    assert list(solvers) == ["cd", "exact", "fista", "network"] and told["compare"] == "exact"
    assert solvers["exact"]["targets"][-1]["worst_gap"] <= 1e-10, solvers["exact"]
    network = told["network"]
    assert network["layers"] == 3 and network["us"] > 0.0 and 0.0 < network["worst_gap"] < 1.0
    window = told["l21"]
    assert window["n_active"] > 0 and all(t["relative_gap"] <= t["target"]
                                          for t in window["targets"]), window
    refuses(2, "bench", "sources", *field.files, says="--data")


def test_another_lambda_is_warned_about():
    field = SIMULATED
    train(field)
    run = ["sources", field.evoked, *field.files, *field.bads, *field.window, "-q",
           "--network", "net.safetensors"]
    done = succeeds(*run, "-o", "out", "--lambda", "0.7")
    lines = cli.said(done).splitlines()
    assert len(lines) == 1 and "trained for 0.6 of the largest, used for 0.7" in lines[0], lines
    assert cli.said(succeeds(*run, "-o", "same")) == ""


def test_wrong_use_is_refused_in_one_line():
    field = SIMULATED
    train(field)
    base = ["sources", field.evoked, *field.files, *field.bads, *field.window, "-o", "out"]
    network = ["--network", "net.safetensors"]
    refuses(2, *base, "--certify", "1e-6", says="--network")
    refuses(2, *base, *network, "--model", "l21", says="--model")
    refuses(2, *base, *network, "--orient", "free", says="--orient")
    refuses(2, *base, *network, "--layers", "4", says="1..3")
    refuses(2, *base, *network, "--certify", "2", says="--certify")
    refuses(3, *base, "--network", field.evoked, says=field.evoked.name)
    words = ["train", "slista", "--lambda-ratio", "0.6", "-o", "other.safetensors"]
    refuses(2, *words, *field.files[:2], says="--noise-cov")
    refuses(2, *words, *field.files[:2], "--noise-cov", "baseline", says="--noise-cov")
    refuses(2, *words, *field.files, "--operator", "a.npy", says="one operator")
    refuses(2, *words, *field.files, "--samples", "0", says="--samples")
    refuses(2, *words, *field.files, "--bads", "MEG 9999", says="MEG 9999")
    refuses(2, *words, *field.files, "--data", field.evoked, "--condition", "Nowhere",
            says='"Nowhere"')
    refuses(2, "train", "lpgd-taut", *words[2:], *field.files, says="Lasso")
    pathlib.Path("i.csv").write_text("1,0\n0,1\n")
    succeeds("train", "slista", "--data", "i.csv", "--operator", "i.csv", "--lambda-ratio", "0.5",
             "--layers", "1", "--max-iter", "5", "-o", "plain.safetensors", "-q")
    refuses(3, *base, "--network", "plain.safetensors", says="train --forward")


cli.run(globals())
