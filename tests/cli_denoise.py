# SPDX-License-Identifier: BSD-3-Clause
"""`taut denoise`: channels become the exact minimiser, and what is no signal stays."""
import array
import json
import math
import pathlib
import random
import struct

import cli
from cli import has_no_temporaries, refuses, said, succeeds, summary, taut


def load(path):
    """The rows of a .npy of float64."""
    data = pathlib.Path(path).read_bytes()
    length = struct.unpack("<H", data[8:10])[0]
    shape = [int(n) for n in
             data[10:10 + length].decode().split("(")[1].split(")")[0].split(",") if n.strip()]
    numbers = array.array("d", data[10 + length:])
    return [list(numbers[r * shape[1]:(r + 1) * shape[1]]) for r in range(shape[0])]


def write_sound(path, rows, types=None, rate=100):
    """WAV of float64 with its table of channels, in microvolt."""
    head = struct.pack("<4sI4s4sIHHIIHH4sI", b"RIFF", 36 + 8 * len(rows) * len(rows[0]), b"WAVE",
                       b"fmt ", 16, 3, len(rows), rate, 8 * rate * len(rows), 8 * len(rows), 64,
                       b"data", 8 * len(rows) * len(rows[0]))
    frames = b"".join(struct.pack(f"<{len(rows)}d", *frame) for frame in zip(*rows))
    pathlib.Path(path).write_bytes(head + frames)
    table = "name\ttype\tunits\n" + "".join(
        f"C{i}\t{(types or {}).get(i, 'EEG')}\tuV\n" for i in range(len(rows)))
    pathlib.Path(path.replace(".wav", "_channels.tsv")).write_text(table, encoding="utf-8")


def steps(n=400, noise=1.0, seed=1):
    """Three channels of 5 levels with white noise."""
    rng = random.Random(seed)
    return [[10.0 * ((t // 80 + c) % 3) + rng.gauss(0, noise) for t in range(n)] for c in range(3)]


def rms(row):
    return math.sqrt(sum(x * x for x in row) / len(row))


def test_channels_become_the_solution_of_the_problem():
    write_sound("x.wav", steps())
    done = summary("denoise", "x.wav", "-o", "u.npy", "--lambda", "0.05")
    assert done["status"]["solved"] == 3 and done["relative_gap"]["max"] < 1e-12
    succeeds("convert", "x.wav", "y.npy")
    succeeds("solve", "tv", "--data", "y.npy", "--lambda-ratio", "0.05", "-o", "v.npy")
    for u, v in zip(load("u.npy"), load("v.npy")):
        assert max(abs(a - b) for a, b in zip(u, v)) < 1e-12 * max(map(abs, v))


def test_each_rule_finds_the_lambda_that_it_says():
    write_sound("x.wav", steps())
    succeeds("convert", "x.wav", "y.npy")
    found = {}
    for rule in "mad", "ut", "lut":
        succeeds("denoise", "x.wav", "-o", f"{rule}.npy", "--lambda-rule", rule)
        notes = json.loads(pathlib.Path(f"{rule}.json").read_text(encoding="utf-8"))["Denoising"]
        assert notes["LambdaRule"] == rule
        found[rule] = notes["Lambda"]
    log_n = math.log(400)
    for v, (y, u) in enumerate(zip(load("y.npy"), load("mad.npy"))):
        sigma = found["ut"][v] / math.sqrt(2 * log_n)
        assert 0.8e-6 < sigma < 1.2e-6
        assert abs(found["lut"][v] / sigma - math.sqrt(2 * log_n - math.log(1 + 4 * log_n))) < 1e-9
        assert abs(rms([a - b for a, b in zip(y, u)]) / sigma - 1) < 1e-6
    succeeds("denoise", "x.wav", "-o", "fixed.npy", "--lambda-rule", "fixed",
             "--lambda", repr(found["ut"][0]))
    assert load("fixed.npy")[0] == load("ut.npy")[0]


def test_noise_goes_and_jumps_stay():
    clean = steps(noise=0.0)
    write_sound("x.wav", steps())
    succeeds("denoise", "x.wav", "-o", "u.npy")
    for row, expected in zip(load("u.npy"), clean):
        assert rms([1e6 * a - b for a, b in zip(row, expected)]) < 0.6


def test_triggers_constants_and_nan_stay_as_they_are():
    rows = steps() + [[5.0] * 400, [1.0] * 400]
    rows[1] = [float(t % 7) for t in range(400)]
    rows[4][3] = math.nan
    write_sound("x.wav", rows, types={1: "TRIG"})
    done = summary("denoise", "x.wav", "-o", "u.npy", "--lambda", "0.1")
    assert done["status"]["solved"] == 2 and done["status"]["constant"] == 1
    assert done["status"]["nonfinite"] == 1
    succeeds("convert", "x.wav", "y.npy")
    before, after = load("y.npy"), load("u.npy")
    assert after[1] == before[1] and after[3] == before[3] and math.isnan(after[4][3])
    assert after[4][4:] == before[4][4:] and after[0] != before[0]


def test_every_format_of_convert_is_written():
    write_sound("x.wav", steps())
    succeeds("denoise", "x.wav", "-o", "u.npy")
    expected = load("u.npy")
    for form, bound in ("edf", 1e-4), ("bdf", 1e-6), ("rf64", 0):
        succeeds("denoise", "x.wav", "-o", f"u.{form}", "--force")
        succeeds("convert", f"u.{form}", "v.npy", "--force")
        for row, other in zip(load("v.npy"), expected):
            assert max(abs(a - b) for a, b in zip(row, other)) <= bound * max(map(abs, other)), form
        assert "Denoising" in pathlib.Path("u.json").read_text(encoding="utf-8")


def test_the_same_bytes_for_any_number_of_threads():
    write_sound("x.wav", steps())
    for jobs in 1, 4, 7:
        succeeds("denoise", "x.wav", "-o", f"j{jobs}.npy", "-j", jobs)
    first = pathlib.Path("j1.npy").read_bytes()
    assert all(pathlib.Path(f"j{jobs}.npy").read_bytes() == first for jobs in (4, 7))


def test_wrong_usage_is_refused():
    write_sound("x.wav", steps())
    refuses(2, "denoise", "x.wav", says="-o OUT")
    refuses(2, "denoise", "x.wav", "-o", "u.npy", "--lambda-rule", "ratoi", says="ratio")
    refuses(2, "denoise", "x.wav", "-o", "u.npy", "--lambda-rule", "ratio", says="--lambda")
    refuses(2, "denoise", "x.wav", "-o", "u.npy", "--lambda", "-1", says="--lambda")
    refuses(2, "denoise", "x.wav", "-o", "u.npy", "--lambda", "1", "--lambda-rule", "mad",
            says="by itself")
    refuses(2, "denoise", "x.wav", "-o", "u.xyz", says="expected a name that ends with")
    pathlib.Path("x.csv").write_text("1,2,3\n4,5,6\n", encoding="utf-8")
    refuses(3, "denoise", "x.csv", "-o", "u.npy", "--lambda", "0.1", says="sensor recording")
    refuses(3, "denoise", "absent.edf", "-o", "u.npy")
    succeeds("denoise", "x.wav", "-o", "u.npy")
    refuses(4, "denoise", "x.wav", "-o", "u.npy", says="exists already")
    assert "warning" not in said(taut("denoise", "x.wav", "-o", "v.npy"))
    has_no_temporaries(".")


if __name__ == "__main__":
    cli.run(globals())
