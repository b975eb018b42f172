#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""`taut simulate` writes what was asked for, and the same bytes for the same seed.

    cli_simulate.py TAUT
"""
import gzip
import json
import os
import struct

import cli


def simulate(*arguments):
    done = cli.taut("simulate", *arguments)
    return done.returncode, done.stdout.decode(), done.stderr.decode()


def files(folder):
    found = {}
    for name in sorted(os.listdir(folder)):
        with open(os.path.join(folder, name), "rb") as file:
            found[name] = file.read()
    return found


def nifti(path):
    """dim, datatype, pixdim and the samples of an image."""
    with open(path, "rb") as file:
        data = file.read()
    data = gzip.decompress(data) if path.endswith(".gz") else data
    dim = struct.unpack("<8h", data[40:56])
    code, = struct.unpack("<h", data[70:72])
    kind = {4: "h", 16: "f"}[code]
    count = dim[1] * dim[2] * dim[3] * dim[4]
    size = struct.calcsize("<%d%s" % (count, kind))
    return dim, code, struct.unpack("<8f", data[76:108]), struct.unpack(
        "<%d%s" % (count, kind), data[352:352 + size])


def npy(path):
    """Shape and values of a float64 array."""
    with open(path, "rb") as file:
        data = file.read()
    size, = struct.unpack("<H", data[8:10])
    head = eval(data[10:10 + size].decode())  # a literal dictionary, made by the program tested
    assert head["descr"] == "<f8" and not head["fortran_order"], head
    count = head["shape"][0] * head["shape"][1]
    return head["shape"], struct.unpack("<%dd" % count, data[10 + size:])


def test_runs_are_functions_of_the_seed_not_of_threads():
    options = ("--size", "12x13x8", "--frames", "40")
    for folder, more in (("a", ("-j", "1")), ("b", ("-j", "3")), ("c", ("--seed", "1"))):
        code, _, err = simulate("fmri", "-o", folder, *options, *more, "-q")
        assert code == 0, err
    assert files("a") == files("b")
    assert files("a") != files("c")


def test_run_has_the_size_type_and_interval_asked_for():
    code, out, err = simulate("fmri", "-o", "x/run.nii", "--size", "9x8x7", "--frames", "11", "--tr",
                              "0.735", "--voxels", "100", "--datatype", "float32", "--json", "-q")
    assert code == 0, err
    dim, kind, pixdim, samples = nifti("x/run.nii")
    assert dim[:5] == (4, 9, 8, 7, 11) and kind == 16 and abs(pixdim[4] - 0.735) < 1e-6
    assert sum(nifti("x/run_desc-brain_mask.nii.gz")[3]) == 100
    assert max(samples) < 20000 and min(samples) >= 0
    regions = nifti("x/run_desc-regions_dseg.nii.gz")[3]
    truth = nifti("x/run_desc-truth_bold.nii.gz")[3]
    active = [any(truth[v::9 * 8 * 7]) for v in range(9 * 8 * 7)]
    assert all(region > 0 for region, on in zip(regions, active) if on)
    with open("x/run.json") as file:
        sidecar = json.load(file)
    assert sidecar["RepetitionTime"] == 0.735 and sidecar["Simulation"]["Seed"] == 0, sidecar
    assert sorted(json.loads(out)["outputs"]) == ["x/" + name for name in sorted(files("x"))]


def test_existing_files_are_kept_unless_forced():
    options = ("fmri", "-o", "d", "--size", "8x8x6", "--frames", "5", "-q")
    assert simulate(*options)[0] == 0
    before = files("d")
    code, _, err = simulate(*options, "--seed", "3")
    assert code == 4 and err.count("\n") == 1 and files("d") == before, err
    assert simulate(*options, "--seed", "3", "--force")[0] == 0
    for name in before:
        os.makedirs("one")
        with open(os.path.join("one", name), "w"):
            pass
        assert simulate("fmri", "-o", "one", *options[3:])[0] == 4
        assert list(files("one")) == [name], "written beside what was there"
        os.remove(os.path.join("one", name))
        os.rmdir("one")
    assert files("d") != before


def test_arrays_have_shapes_that_fit():
    cases = {
        ("tv", "--series", "7"): {"X.npy": (7, 250), "U.npy": (7, 250)},
        ("tv", "--law", "jumps", "--series", "5", "--hrf", "pyta"):
            {"X.npy": (5, 250), "U.npy": (5, 221)},
        ("tv", "--law", "dense", "--series", "4", "--observed", "30", "--unknown", "40"):
            {"X.npy": (4, 30), "U.npy": (4, 40), "A.npy": (30, 40)},
        ("lasso", "--series", "6"): {"X.npy": (6, 64), "Z.npy": (6, 256), "D.npy": (64, 256)},
        ("lasso", "--law", "leadfield", "--series", "2", "--observed", "60", "--unknown", "500"):
            {"X.npy": (2, 60), "Z.npy": (2, 500), "D.npy": (60, 500)},
    }
    for number, (options, shapes) in enumerate(cases.items()):
        folder = "s%d" % number
        code, _, err = simulate(*options, "-o", folder)
        assert code == 0, err
        for name, shape in shapes.items():
            assert npy(os.path.join(folder, name))[0] == shape, (options, name)
        if options[0] == "tv" and "dense" not in options:
            with open(os.path.join(folder, "hrf.txt")) as file:
                h = [float(line) for line in file]
            assert len(h) > 20 and max(h) > 0


def test_sums_of_simulated_lasso_series_are_those_of_their_coefficients():
    simulate("lasso", "--series", "2", "--observed", "8", "--unknown", "16", "-o", "l")
    _, x = npy("l/X.npy")
    _, z = npy("l/Z.npy")
    _, d = npy("l/D.npy")
    for i in range(8):
        assert abs(x[i] - sum(d[i * 16 + j] * z[j] for j in range(16))) < 1e-12


def test_wrong_options_are_refused_in_one_line():
    cases = [["nothing"], [], ["fmri"], ["fmri", "-o", "e", "--size", "3x3"],
             ["fmri", "-o", "e", "--frames", "0"], ["fmri", "-o", "e", "--tr", "nan"],
             ["fmri", "-o", "e", "--datatype", "int8"], ["fmri", "-o", "e", "--ar1", "1"],
             ["fmri", "-o", "e", "--hrf", "none"], ["tv", "-o", "e", "--law", "blox"],
             ["tv", "-o", "e", "--law", "jumps", "--observed", "5"], ["lasso"]]
    for case in cases:
        code, out, err = simulate(*case)
        assert code == 2 and out == "" and err.count("\n") == 1, (case, code, err)
        assert not os.path.exists("e"), case
    code, _, err = simulate("fmri", "-o", "e", "--frames", "1000", "--mem-limit", "1M")
    assert code == 3 and err.count("\n") == 1, err
    with open("blocked", "w"):
        pass
    assert simulate("tv", "-o", "blocked/e")[0] == 4


def rows(path):
    with open(path, encoding="utf-8") as file:
        lines = [line.rstrip("\n").split("\t") for line in file]
    return [dict(zip(lines[0], line)) for line in lines[1:]]


MEEG = ["meeg", "--positions", "600", "--sensors", "40", "--eeg", "20", "--snr", "6", "-q"]


def test_sources_of_a_simulated_average_are_where_they_were_put():
    # Seed 1 has one at the midline, whose field few others add up to.
    for seed in ("2", "3", "4"):
        folder = "meeg" + seed
        code, out, err = simulate(*MEEG, "--seed", seed, "--json", "-o", folder)
        assert code == 0, err
        facts = json.loads(out)
        assert facts["kind"] == "meeg" and facts["n_channels"] == 140, facts
        assert [os.path.exists(path) for path in facts["outputs"]] == [True] * 4, facts
        found = cli.summary("sources", folder + "/sim-ave.fif", "--forward",
                            folder + "/sim-fwd.fif", "--noise-cov", folder + "/sim-cov.fif",
                            "--orient", "fixed", "--model", "irl21", "--lambda", "0.3", "--tmin",
                            "0.03", "--tmax", "0.2", "-q", "-o", folder + "/out")
        assert found["rank_by_type"] == {"meg": 120, "eeg": 19}, found["rank_by_type"]
        truth = rows(folder + "/sim_truth.tsv")
        ours = rows(folder + "/out/sim-ave_sources.tsv")
        for name in ("column", "hemisphere", "vertex", "orientation"):
            assert [row[name] for row in ours] == [row[name] for row in truth], (seed, name)
        for a, b in zip(ours, truth):
            assert abs(float(a["peak_time"]) - float(b["peak_time"])) < 0.01, (a, b)
            assert 0.8 < float(a["peak_amplitude"]) / float(b["peak_amplitude"]) < 1.2, (a, b)


def test_digits_are_a_dictionary_and_samples():
    with open("table.csv", "w") as table:
        for v in range(1797):
            table.write(",".join(str((v * i) % 17) for i in range(64)) + ",0\n")
    found = cli.summary("simulate", "digits", "--data", "table.csv", "--unknown", "200", "-o", "a")
    assert (found["n_series"], found["n_observed"], found["n_unknown"]) == (1597, 64, 200), found
    assert set(files("a")) == {"X.npy", "D.npy"}
    cli.succeeds("simulate", "digits", "--data", "table.csv", "--unknown", "200", "-o", "b")
    cli.succeeds("simulate", "digits", "--data", "table.csv", "--unknown", "200", "--seed", "1",
                 "-o", "c")
    assert files("a") == files("b") != files("c")
    cli.refuses(3, "simulate", "digits", "--data", "a/D.npy", "-o", "d", says="1797")
    cli.succeeds("solve", "lasso", "--operator", "a/D.npy", "--data", "a/X.npy", "--lambda-ratio",
                 "0.5", "-o", "Z.npy")


def test_a_simulated_average_is_a_function_of_its_seed():
    for folder, seed in (("a", "5"), ("b", "5"), ("c", "6")):
        assert simulate(*MEEG, "--seed", seed, "-o", folder)[0] == 0
    a, b, c = files("a"), files("b"), files("c")
    assert set(a) == {"sim-ave.fif", "sim-cov.fif", "sim-fwd.fif", "sim_truth.tsv"}
    assert a["sim_truth.tsv"] == b["sim_truth.tsv"] != c["sim_truth.tsv"]
    assert a["sim-cov.fif"] == b["sim-cov.fif"] == c["sim-cov.fif"]
    assert a["sim-ave.fif"] == b["sim-ave.fif"] != c["sim-ave.fif"]
    cli.refuses(4, "simulate", *MEEG, "-o", "a", says="exists already")
    assert files("a") == a
    cli.refuses(2, "simulate", "meeg", "--positions", "1", "-o", "d", says="--positions")
    cli.refuses(2, "simulate", "meeg", says="-o DIR")
    cli.refuses(3, "simulate", "meeg", "--mem-limit", "64M", "-o", "d", says="MiB")


cli.run(globals())
