#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""`taut train` makes networks, `taut apply` and `taut deconv --network` use them.

    cli_networks.py TAUT
"""
import json
import math
import os
import pathlib
import random
import re
import signal
import subprocess
import time

import cli
from cli import contents, has_no_temporaries, images, refuses, said, succeeds, summary
from images import small_run

try:
    import numpy
except ImportError:
    numpy = None

N_FRAMES = 40
RESPONSE = ["--hrf", "spm", "--tr", "2"]


def write_series(path, n_series=12, n_frames=N_FRAMES, seed=3):
    """Series of blocks in noise as CSV, a column a series."""
    rand = random.Random(seed)
    rows = []
    for _ in range(n_series):
        begin, level = rand.randrange(n_frames // 2), 0.0
        row = []
        for t in range(n_frames):
            level += 0.4 * ((begin <= t < begin + 8) - level)
            row.append(f"{level + rand.gauss(0.0, 0.2):.17g}")
        rows.append(row)
    lines = [",".join(frame) for frame in zip(*rows)]
    pathlib.Path(path).write_text("\n".join(lines) + "\n")
    return path


def train(output="net.safetensors", *more, net="lpgd-taut", variant="step", layers=3,
          data="x.csv", operator=RESPONSE):
    if not pathlib.Path(data).exists():
        write_series(data)
    words = ["train", net, "--data", data, *operator, "--lambda-ratio", "0.1", "--layers", layers,
             "--max-iter", 60, "-o", output, *more]
    return words + (["--variant", variant] if variant else [])


def header(path):
    """The JSON header of a network's file."""
    data = pathlib.Path(path).read_bytes()
    size = int.from_bytes(data[:8], "little")
    return json.loads(data[8:8 + size])


def table(path):
    """The rows of a trace as dictionaries of numbers."""
    lines = [line.split("\t") for line in pathlib.Path(path).read_text().splitlines()]
    return [dict(zip(lines[0], map(float, line))) for line in lines[1:]]


def test_training_tells_what_it_made():
    told = summary(*train())
    assert told["command"] == "train" and told["network"] == "lpgd-taut", told
    assert told["variant"] == "step" and told["layers"] == 3 and told["parameters"] == 3, told
    start, end = told["loss"]["start"], told["loss"]["end"]
    assert len(start) == len(end) == 3 and told["validation_loss"] == [] and told["seconds"] >= 0
    assert all(e <= s for s, e in zip(start, end)) and end == sorted(end, reverse=True), told
    metadata = header("net.safetensors")["__metadata__"]
    assert [float(row.split()[3]) for row in metadata["losses"].split(";")] == end, metadata
    assert metadata["layer"] == "lpgd-taut" and metadata["layers"] == "3", metadata
    assert metadata["n_time"] == "40" and float(metadata["interval_s"]) == 2.0, metadata
    assert metadata["conv"] == "causal" and metadata["lambda_ratio"] == "0.1", metadata
    assert re.fullmatch("[0-9a-f]{64}", metadata["operator_sha256"]), metadata
    assert all(isinstance(value, str) for value in metadata.values())


def test_every_network_trains_and_applies():
    nets = [("lpgd-taut", v) for v in ("conv", "dense", "step", "step-momentum")]
    nets += [(n, "") for n in ("lpgd-lista", "synthesis-lista", "condat-vu", "subgradient-step")]
    for net, variant in nets:
        kind = ["--conv", "full"]
        succeeds(*train("net.safetensors", *kind, "--force", "--max-iter", 8, net=net,
                        variant=variant, layers=2, data="few.csv"))
        told = summary("apply", "net.safetensors", "--data", "few.csv", "-o", "u.npy", "--force")
        assert told["network"] == net and told["layers"] == 2, told
    rand = random.Random(1)
    matrix = [[rand.gauss(0.0, 1.0) for _ in range(20)] for _ in range(12)]
    pathlib.Path("d.csv").write_text(
        "\n".join(",".join(map(repr, row)) for row in matrix) + "\n")
    write_series("x12.csv", 9, 12)
    for net in ("alista", "first_step", "hessian", "lista", "lista-coupled", "slista"):
        succeeds(*train("net.safetensors", "--force", net=net, variant="", layers=2,
                        data="x12.csv", operator=["--operator", "d.csv"]))
        told = summary("apply", "net.safetensors", "--data", "x12.csv", "-o", "u.npy", "--force")
        assert told["network"] == net and told["n_unknown"] == 20, told


def test_a_trace_falls_from_layer_to_layer_and_ends_at_the_result():
    succeeds(*train(variant="step-momentum", layers=4))
    told = summary("apply", "net.safetensors", "--data", "x.csv", "-o", "u.npy",
                   "--trace", "t.tsv")
    rows = table("t.tsv")
    assert [row["layer"] for row in rows] == [0, 1, 2, 3, 4], rows
    objectives = [row["objective_mean"] for row in rows]
    assert objectives == sorted(objectives, reverse=True), rows
    assert objectives[-1] == told["objective"]["mean"], (rows, told)
    assert rows[-1]["gap_max"] == told["relative_gap"]["max"], (rows, told)
    shorter = summary("apply", "net.safetensors", "--data", "x.csv", "-o", "v.npy", "--layers", 2)
    assert shorter["objective"]["mean"] == objectives[2], (rows, shorter)


def test_what_is_left_inaccurate_is_solved_exactly():
    succeeds(*train(layers=1))
    apply = ["apply", "net.safetensors", "--data", "x.csv", "-o", "u.npy", "--force"]
    bare = summary(*apply)
    assert bare["status"]["inaccurate"] > 0 and bare["solved_exactly"] == 0, bare
    told = summary(*apply, "--certify", "1e-6")
    assert told["status"]["solved"] == 12 and told["relative_gap"]["max"] <= 1e-6, told
    assert told["solved_exactly"] == bare["status"]["inaccurate"], (bare, told)


def test_bytes_do_not_depend_on_the_threads():
    for variant, more in (("conv", []), ("step-momentum", []),
                          ("conv-threshold", ["--optimiser", "adam", "--batch", 16])):
        found = set()
        for jobs in (1, 2, 3):
            name = f"net{jobs}.safetensors"
            succeeds(*train(name, "--conv", "full", "-j", jobs, "--force", *more,
                            variant=variant, data="many.csv"))
            succeeds("apply", name, "--data", "many.csv", "-o", "u.npy", "-j", jobs, "--force")
            found.add((pathlib.Path(name).read_bytes(), pathlib.Path("u.npy").read_bytes()))
        assert len(found) == 1


def long(output, *more):
    """A training of a second or more, and its checkpoint."""
    if not pathlib.Path("x.csv").exists():
        write_series("x.csv", 400)
    return train(output, "--checkpoint", "net.part", "--max-iter", 900, *more,
                 variant="step-momentum", layers=9)


def interrupt(words, done, end=signal.SIGINT, wait_s=60):
    """Starts a command, sends it a signal once done() holds, and gives how it ended."""
    process = subprocess.Popen([cli.TAUT, *map(str, words)], stderr=subprocess.PIPE)
    limit = time.monotonic() + wait_s
    while not done() and process.poll() is None and time.monotonic() < limit:
        time.sleep(0.02)
    process.send_signal(end)
    process.communicate(timeout=60)
    return process.returncode


def goes_on(end, *more):
    """A training that a signal ends goes on to the bytes of one that nothing disturbs."""
    part, net = pathlib.Path("net.part"), pathlib.Path("net.safetensors")
    succeeds(*long("whole.safetensors", *more))
    assert not part.exists()
    status = interrupt(long(net, *more), part.exists, end)
    assert status == {signal.SIGINT: 130, signal.SIGKILL: -signal.SIGKILL}[end], status
    assert part.exists() and not net.exists(), contents(".").keys()
    if end == signal.SIGINT:
        has_no_temporaries(".")
    told = summary(*long(net, *more))
    assert told["stages_resumed"] > 0 and len(told["loss"]["end"]) == 9, told
    assert not part.exists()
    assert net.read_bytes() == pathlib.Path("whole.safetensors").read_bytes()


def test_an_interrupted_training_goes_on_to_the_same_bytes():
    goes_on(signal.SIGINT)


def test_a_killed_training_goes_on_to_the_same_bytes():
    goes_on(signal.SIGKILL, "--variant", "conv-threshold", "--conv", "full", "--optimiser", "adam",
            "--max-iter", 45)


def test_progress_tells_the_loss_and_the_time_left():
    told = said(succeeds(*long("net.safetensors", "--max-iter", 90)))
    shown = re.findall(r"train +(\d+) %, loss ([0-9.e-]+), .* left", told)
    assert len(shown) >= 3, told
    assert [int(part) for part, _ in shown] == sorted(int(part) for part, _ in shown), told


def test_patience_ends_a_stage_early():
    write_series("y.csv", seed=5)
    one = summary(*train("one.safetensors", "--validation", "y.csv", "--patience", 1,
                         "--max-iter", 900, variant="dense"))
    all_ = summary(*train("all.safetensors", "--validation", "y.csv", "--patience", 900,
                          "--max-iter", 900, variant="dense"))
    assert one["validation_loss"][0] >= all_["validation_loss"][0], (one, all_)
    assert one["gradients"] < all_["gradients"], (one, all_)


def test_a_checkpoint_of_another_training_is_refused():
    status = interrupt(long("net.safetensors"), pathlib.Path("net.part").exists)
    assert status == 130, status
    refuses(3, *long("net.safetensors", "--seed", 4), says="net.part")
    assert not pathlib.Path("net.safetensors").exists()


def test_validation_decides():
    write_series("y.csv", seed=5)
    told = summary(*train("net.safetensors", "--validation", "y.csv", variant="dense"))
    judged = told["validation_loss"]
    assert len(judged) == 3 and judged == sorted(judged, reverse=True), told


def configured(**changes):
    """A folder with the example of a training run, its data, and small numbers."""
    example = pathlib.Path(os.environ["TAUT_CONFIGS"], "train-network.ini").read_text()
    for key, value in changes.items():
        example = re.sub(rf"(?m)^{key} = .*$", f"{key} = {value}", example)
    pathlib.Path("study/study").mkdir(parents=True, exist_ok=True)
    pathlib.Path("study/train.ini").write_text(example)
    write_series("study/study/x.csv")
    write_series("study/study/y.csv", seed=8)
    return "study/train.ini"


def test_a_configuration_is_a_training_run():
    config = configured(data="study/x.csv", validation="study/y.csv", layers=3)
    told = summary("train", "--config", config)
    assert told["network"] == "lpgd-taut" and told["layers"] == 3, told
    assert len(told["validation_loss"]) == 3, told
    metadata = header("study/study/network.safetensors")["__metadata__"]
    assert metadata["lambda_ratio"] == "0.05:0.2" and float(metadata["interval_s"]) == 0.735, metadata
    # the command line wins
    told = summary("train", "lpgd-taut", "--layers", 2, f"--config={config}", "--variant", "step",
                   "-o", "mine", "--max-iter", 9)
    assert told["layers"] == 2 and told["parameters"] == 2, told
    assert pathlib.Path("mine").exists()


def test_a_bad_configuration_is_refused_in_one_line():
    refuses(3, "train", "--config", "absent.ini", says="absent.ini")
    for text, says in (("[train]\nlayer = 3\n", "layer"), ("[net]\nlayers = 3\n", "[net]"),
                       ("layers = 3\n", "bad.ini"), ("", "[train]"),
                       ("[train]\nlayers = 3\n", "NET"),
                       ("[train]\nnetwork = slista\nlayers = many\n", "many"),
                       ("[train]\nconfig = bad.ini\n", "config")):
        pathlib.Path("bad.ini").write_text(text)
        refuses(2, "train", "--config", "bad.ini", says=says)


def test_wrong_usage_is_refused_in_one_line():
    write_series("x.csv")
    words = train()
    for more in (["--variant", "convex"], ["--lambda-ratio", "1.5"], ["--lambda-ratio", "0.3:0.1"],
                 ["--layers", "0"], ["--schedule", "never"], ["--optimiser", "luck"],
                 ["--loss", "supervised"], ["--targets", "x.csv"], ["--tr", "0"],
                 ["--operator", "x.csv"], ["--preprocessed", "detrend=often"],
                 ["--start", "there"], ["--max-iter", "0"], ["--batch", "-1"], ["--patience", "0"]):
        refuses(2, *words, *more)
    refuses(2, "train", "lpgd-tight", *words[2:], says="lpgd-taut")
    refuses(2, *train(variant="conv"), says="full")
    refuses(2, *train(net="slista", variant="", operator=[]), "extra")
    assert [path.name for path in pathlib.Path().iterdir()] == ["x.csv"]


def test_bad_inputs_of_a_training_are_refused_in_one_line():
    write_series("x.csv")
    refuses(3, *train(data="x.csv"), "--validation", "absent.npy", says="absent.npy")
    write_series("short.csv", n_frames=30)
    refuses(3, *train(), "--validation", "short.csv", says="40")
    text = pathlib.Path("x.csv").read_text()
    pathlib.Path("nan.csv").write_text(re.sub(r"^[^,]*,", "nan,", text, count=1))
    refuses(3, *train(data="nan.csv"), says="row 1")
    pathlib.Path("taken").write_text("mine")
    refuses(4, *train("taken"), says="taken")
    refuses(4, *train("absent/net.safetensors"))
    assert pathlib.Path("taken").read_text() == "mine"
    assert not pathlib.Path("net.safetensors").exists()


def test_wrong_use_of_a_network_is_refused_in_one_line():
    succeeds(*train())
    apply = ["apply", "net.safetensors", "-o", "u.npy", "--data"]
    write_series("short.csv", n_frames=30)
    refuses(3, *apply, "short.csv", says="40")
    refuses(3, "apply", "absent", *apply[2:], "x.csv", says="absent")
    refuses(3, "apply", "x.csv", *apply[2:], "x.csv", says="header")
    pathlib.Path("a.csv").write_text("\n".join(["1" + ",0" * 39] * 40) + "\n")
    refuses(3, *apply, "x.csv", "--operator", "a.csv", says="operator")
    for more in (["--layers", "4"], ["--layers", "1.5"], ["--safeguard", "maybe"],
                 ["--certify", "-1"], ["--lambda-ratio", "2"]):
        refuses(2, *apply, "x.csv", *more)
    refuses(2, "apply", "net.safetensors", "--data", "x.csv", "-o", "u.dat", says=".npy")
    pathlib.Path("u.npy").write_text("mine")
    refuses(4, *apply, "x.csv", says="u.npy")
    assert pathlib.Path("u.npy").read_text() == "mine"


def test_a_broken_file_is_refused():
    succeeds(*train())
    good = pathlib.Path("net.safetensors").read_bytes()
    size = int.from_bytes(good[:8], "little")
    changes = {"cut": good[:-8], "long": good + bytes(8), "header": good[:8] + b"[" + good[9:],
               "length": (1 << 40).to_bytes(8, "little") + good[8:],
               "bit": good[:8 + size] + bytes([good[8 + size] ^ 1]) + good[9 + size:],
               "kind": good.replace(b'"lpgd-taut"', b'"lpgd-tout"'), "empty": b""}
    for name, data in changes.items():
        pathlib.Path(name).write_bytes(data)
        refuses(3, "apply", name, "--data", "x.csv", "-o", "u.npy", says=name)
        refuses(3, "deconv", small_run(), "-o", "out", "--mask", "none", "--network", name,
                says=name)
    assert not pathlib.Path("u.npy").exists() and not pathlib.Path("out").exists()


def deconv(*more, folder="out"):
    small_run()
    return ["deconv", "run_bold.nii.gz", "--mask", "none", "-o", folder, *more]


def test_deconv_takes_a_network_for_a_solver():
    succeeds(*train("net.safetensors", "--preprocessed", "detrend=cosine:128,bandpass=none"))
    told = summary(*deconv("--network", "net.safetensors"))
    assert told["network"]["layers"] == 3 and told["network"]["variant"] == "step", told
    assert told["network"]["solved_exactly"] == 0 and told["status"]["inaccurate"] > 0, told
    sidecar = json.loads(pathlib.Path("out/run_desc-activity_bold.json").read_text())
    assert sidecar["Solver"]["Network"]["file"] == "net.safetensors", sidecar
    assert "network" in sidecar["InputChecksums"], sidecar
    assert "net.safetensors" in pathlib.Path("out/run_desc-taut_report.html").read_text()
    for jobs in (1, 3):
        succeeds(*deconv("--network", "net.safetensors", "-j", jobs, folder=f"out{jobs}"))
        assert images("out") == images(f"out{jobs}")
    done = succeeds("run", "out/run_desc-taut_config.ini", "--set", "output.folder=again")
    assert images("out") == images("again"), said(done)


def test_deconv_certifies_what_a_network_leaves():
    succeeds(*train())
    told = summary(*deconv("--network", "net.safetensors", "--certify", "1e-8", "--strict"))
    assert told["status"]["solved"] == 24 and told["gap"]["max"] <= 1e-8, told
    assert told["network"]["solved_exactly"] > 0, told
    exact = summary(*deconv(folder="exact"))
    assert math.isclose(told["jumps"]["median"], exact["jumps"]["median"]), (told, exact)


def test_deconv_refuses_a_network_for_something_else():
    cleaned = "detrend=cosine:128,bandpass=none,standardize=zscore"
    succeeds(*train("net.safetensors", "--preprocessed", cleaned))
    metadata = header("net.safetensors")["__metadata__"]
    assert metadata["preprocessing"] == cleaned and metadata["interval_s"] == "2", metadata
    assert metadata["hrf"] == "spm" and len(metadata["operator_sha256"]) == 64, metadata
    uses = ["--network", "net.safetensors"]
    for more, says in ((["--tr", "2.2"], "expected 2 s as in training, found 2.2 s"),
                       (["--hrf", "glover"], "hrf: expected"),
                       (["--conv", "full"], "conv: expected causal as in training, found full"),
                       (["--drop", "3"], "frames: expected 40 as in training, found 37"),
                       (["--detrend", "linear"],
                        "detrend: expected cosine:128 as in training, found linear"),
                       (["--bandpass", "0.01:0.1"],
                        "bandpass: expected none as in training, found 0.01:0.1"),
                       (["--standardize", "psc"],
                        "standardize: expected zscore as in training, found psc")):
        refuses(3, *deconv(*uses, *more), says=says)
    refuses(3, *deconv("--network", "absent"), says="absent")
    refuses(2, *deconv(*uses, "--solver", "pgd"), says="network")
    refuses(2, *deconv("--certify", "0.1"), says="network")
    assert not pathlib.Path("out").exists()
    # what was not stated may be anything
    succeeds(*train("net.safetensors", "--preprocessed", "detrend=cosine:128", "--force"))
    succeeds(*deconv(*uses, "--standardize", "psc"))


def test_another_lambda_is_warned_about():
    succeeds(*train())
    done = succeeds(*deconv("--network", "net.safetensors", "--lambda", "0.4"))
    assert "trained for lambda at 0.1" in said(done), said(done)
    done = succeeds(*deconv("--network", "net.safetensors", folder="same"))
    assert "trained" not in said(done), said(done)


def read_safetensors(path):
    data = pathlib.Path(path).read_bytes()
    size = int.from_bytes(data[:8], "little")
    head = json.loads(data[8:8 + size])
    metadata = head.pop("__metadata__")
    tensors = {}
    for name, what in head.items():
        begin, end = what["data_offsets"]
        dtype = {"F64": "<f8", "F32": "<f4"}[what["dtype"]]
        tensors[name] = numpy.frombuffer(data[8 + size + begin:8 + size + end],
                                         dtype).reshape(what["shape"])
    return tensors, metadata


def write_safetensors(path, tensors, metadata):
    head, data = {"__metadata__": metadata}, b""
    for name, values in tensors.items():
        begin = len(data)
        data += values.tobytes()
        head[name] = {"dtype": {"f8": "F64", "f4": "F32"}[values.dtype.str[1:]],
                      "shape": list(values.shape), "data_offsets": [begin, len(data)]}
    text = json.dumps(head).encode()
    text += b" " * (-len(text) % 8)
    pathlib.Path(path).write_bytes(len(text).to_bytes(8, "little") + text + data)


def slista(tensors, x, ratio):
    """The network of a file: z+ = ST(z - a D'(D z - x), lambda a) from z = 0, a row a series."""
    d = tensors["operator.a"].astype("f8")
    lambdas = ratio * numpy.abs(x @ d).max(axis=1, keepdims=True)
    z = numpy.zeros((len(x), d.shape[1]))
    for name in sorted(name for name in tensors if name.startswith("layer.")):
        step = float(tensors[name][0])
        z = z - step * (z @ d.T - x) @ d
        z = numpy.sign(z) * numpy.maximum(numpy.abs(z) - lambdas * step, 0.0)
    return z


def test_numpy_reads_and_writes_networks():
    if numpy is None:
        raise cli.Skip("numpy is absent")
    rand = numpy.random.default_rng(2)
    numpy.save("d.npy", rand.normal(size=(12, 20)))
    numpy.save("x.npy", rand.normal(size=(30, 12)))
    x = numpy.load("x.npy")
    succeeds(*train("net.safetensors", "--schedule", "oneshot", net="slista", variant="",
                    data="x.npy", operator=["--operator", "d.npy"]))
    tensors, metadata = read_safetensors("net.safetensors")
    assert sorted(tensors) == ["layer.00.step", "layer.01.step", "layer.02.step", "operator.a"]
    assert numpy.array_equal(tensors["operator.a"], numpy.load("d.npy"))

    def applied(path):
        succeeds("apply", path, "--data", "x.npy", "-o", "u.npy", "--force", "--safeguard", "off")
        return numpy.load("u.npy")

    assert numpy.abs(applied("net.safetensors") - slista(tensors, x, 0.1)).max() < 1e-12
    # another depth and other numbers, partly float32; only this program writes the checksum
    metadata.pop("sha256")
    mine = {"layer.00.step": numpy.array([0.02], "<f4"), "layer.01.step": numpy.array([0.03]),
            "operator.a": tensors["operator.a"]}
    write_safetensors("mine", mine, dict(metadata, layers="2"))
    assert numpy.abs(applied("mine") - slista(mine, x, 0.1)).max() < 1e-12


cli.run(globals())
