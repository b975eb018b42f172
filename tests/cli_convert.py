# SPDX-License-Identifier: BSD-3-Clause
"""`taut convert`: what is written is read back to the same values, and what real recordings hold
agrees with what other programs read there.
"""
import array
import csv
import json
import math
import os
import pathlib
import struct

import bad_sensor_files
import cli
from cli import Skip, refuses, said, succeeds, summary, taut

DATA = pathlib.Path(os.environ.get("TAUT_DATA", "absent")) / "meeg"
INTEGERS = ["edf/test.edf", "edf/nihonkohden_edfplus_D.edf", "edf/subsecond_starttime.edf",
            "edf/duplicate_channel_labels.edf", "edf/test_uneven_samp.edf",
            "brainvision/test.vhdr", "bdf/test.bdf"]
FLOATS = ["brainvision/Analyzer_nV_Export.vhdr",
          "brainvision/test_old_layout_latin1_software_filter.vhdr"]


def real(name):
    if not (DATA / name).exists():
        raise Skip(f"{name} is absent")
    return DATA / name


def load(path):
    """The rows of a .npy of float64."""
    data = pathlib.Path(path).read_bytes()
    length = struct.unpack("<H", data[8:10])[0]
    header = data[10:10 + length].decode()
    assert data[:6] == b"\x93NUMPY" and "'<f8'" in header and "False" in header, header
    shape = [int(n) for n in header.split("(")[1].split(")")[0].split(",") if n.strip()]
    numbers = array.array("d", data[10 + length:])
    return [numbers[r * shape[1]:(r + 1) * shape[1]] for r in range(shape[0])]


def values(path, name="values.npy"):
    succeeds("convert", path, name, "--force")
    return load(name)


def largest(row):
    return max(map(abs, row)) or 1.0


def distance(found, expected):
    """The largest difference of two arrays, as a part of a row's largest value."""
    assert [len(row) for row in found] == [len(row) for row in expected]
    return max(max(abs(x - y) for x, y in zip(f, e)) / largest(e)
               for f, e in zip(found, expected))


def truth(name):
    with open(DATA / "truth.tsv", encoding="utf-8", newline="") as table:
        return [row for row in csv.DictReader(table, delimiter="\t", quoting=csv.QUOTE_NONE)
                if row["file"] == name and row["type"] != "annotation"]


def write_edf(path, samples, rate=64, unit="uV", label="C", repeat=1):
    """Plain EDF of int16: each of `samples` is a channel, repeated; physical = digital / 2."""
    n, length = len(samples), len(samples[0])
    field = lambda text, width: str(text).encode()[:width].ljust(width)
    head = field("0", 8) + field("X", 80) + field("X", 80) + field("01.01.8500.00.00", 16)
    head += field(256 * (n + 1), 8) + field("", 44) + field(length // rate * repeat, 8)
    head += field(1, 8)
    head += field(n, 4)
    head += b"".join(field(f"{label}{i}", 16) for i in range(n)) + field("", 80) * n
    for text in (unit, -16384, "16383.5", -32768, 32767):
        head += field(text, 8) * n
    head += field("", 80) * n + field(rate, 8) * n + field("", 32) * n
    data = b""
    for second in range(length // rate):
        for row in samples:
            data += struct.pack(f"<{rate}h", *row[second * rate:(second + 1) * rate])
    pathlib.Path(path).write_bytes(head + repeat * data)


def wave(n=640, scale=1000):
    return [[int(scale * math.sin(0.1 * i + c)) for i in range(n)] for c in range(3)]


def test_npy_holds_the_values_that_other_programs_read():
    for name in INTEGERS + FLOATS:
        path = real(name)
        rows = []
        for part in range(len(summary("info", path)["files"][0]["parts"])):
            succeeds("convert", path, "x.npy", "--part", part + 1, "--force")
            rows += load("x.npy")
        expected = truth(name)
        assert len(rows) == len(expected), name
        for row, numbers in zip(expected, rows):
            found = {"min": min(numbers), "max": max(numbers), "mean": math.fsum(numbers) / len(numbers),
                     "rms": math.sqrt(math.fsum(x * x for x in numbers) / len(numbers)),
                     "first": numbers[0], "last": numbers[-1]}
            for column, value in found.items():
                error = abs(value - float(row[column])) / largest(numbers)
                assert error <= 6e-12, (name, row["name"], column, error)  # of 12 digits


def test_sound_holds_the_same_bits():
    for name in INTEGERS[:1] + FLOATS[:1]:
        expected = values(real(name))
        for form in "wav", "rf64":
            succeeds("convert", real(name), f"x.{form}", "--force")
            assert values(f"x.{form}") == expected, (name, form)


def test_integers_go_through_edf_and_bdf():
    for name in INTEGERS[:2] + INTEGERS[-3:]:
        expected = values(real(name))
        for form in "edf", "bdf":
            if form == "edf" and name.startswith("bdf"):
                continue
            done = summary("convert", real(name), f"x.{form}", "--force")
            assert done["rounding"]["rounded"] == 0, (name, form)
            assert distance(values(f"x.{form}"), expected) <= 1e-14, (name, form)


def test_other_values_are_rounded_by_as_much_as_is_said():
    for name in FLOATS:
        expected = values(real(name))
        for form, bound in ("edf", 2e-5), ("bdf", 1e-7):
            done = summary("convert", real(name), f"x.{form}", "--force")
            error = distance(values(f"x.{form}"), expected)
            assert error <= done["rounding"]["largest_error"] * (1 + 1e-6) <= bound, (name, form)


def test_fif_holds_the_values_to_float32():
    for name in INTEGERS[1:2] + FLOATS[:1] + ["raw_fif/neuromag122_test_file-raw.fif"]:
        expected = values(real(name))
        succeeds("convert", real(name), "x.fif", "--force")
        assert distance(values("x.fif"), expected) <= 1e-6, name


def test_only_the_triggers_of_a_wide_status_go_into_16_bits():
    expected = values(real("bdf/test.bdf"))[-1]
    done = summary("convert", real("bdf/test.bdf"), "x.edf")
    assert done["rounding"]["low_bits"] == 1
    found = values("x.edf")[-1]
    assert [int(x) & 0xffff for x in found] == [int(x) & 0xffff for x in expected]


def test_events_names_and_rates_go_through_every_format():
    path = real("edf/test.edf")
    succeeds("convert", path, "x.npy")
    expected = json.loads(pathlib.Path("x.json").read_text(encoding="utf-8"))
    assert [e["trial_type"] for e in expected["Events"]] == ["start", "type A", "type A", "type B",
                                                             "type A"]
    for form in "wav", "edf", "bdf", "fif", "rf64":
        succeeds("convert", path, f"y.{form}", "--force")
        succeeds("convert", f"y.{form}", "z.npy", "--force")
        found = json.loads(pathlib.Path("z.json").read_text(encoding="utf-8"))
        for member in "SamplingFrequency", "Channels", "Events":
            assert found[member] == expected[member], (form, member)


def test_edf_alone_has_its_events():
    succeeds("convert", real("edf/test.edf"), "x.edf")
    for companion in pathlib.Path().glob("x_*.tsv"):
        companion.unlink()
    succeeds("convert", "x.edf", "y.npy")
    events = json.loads(pathlib.Path("y.json").read_text(encoding="utf-8"))["Events"]
    assert [(e["onset"], e["duration"]) for e in events] == [
        (0, 0), (0.1344, 0.256), (0.3904, 1), (2, 0), (2.5, 2.5)]


def test_other_programs_read_what_is_written():
    """EDF, decoded here by its definition."""
    write_edf("x.edf", wave())
    succeeds("convert", "x.edf", "y.edf")
    data = pathlib.Path("y.edf").read_bytes()
    n_signals, n_records = int(data[252:256]), int(data[236:244])
    assert data[:8] == b"0       " and data[192:197] == b"EDF+C" and n_signals == 4
    at, fields = 256, []
    for width in 16, 80, 8, 8, 8, 8, 8, 80, 8, 32:
        fields.append([data[at + i * width:at + (i + 1) * width] for i in range(n_signals)])
        at += width * n_signals
    assert fields[0][3].strip() == b"EDF Annotations" and fields[2][0].strip() == b"uV"
    counts = [int(n) for n in fields[8]]
    found = [[] for _ in counts]
    for _ in range(n_records):
        for s, n in enumerate(counts):
            found[s] += struct.unpack(f"<{n}h", data[at:at + 2 * n])
            at += 2 * n
    assert at == len(data) and found[:3] == wave()
    low, high, bottom, top = (float(fields[k][0]) for k in (3, 4, 5, 6))
    assert (high - low) / (top - bottom) == 0.5


def test_images_and_tables_become_npy():
    pathlib.Path("x.csv").write_text("1,2,3\n4,5,6.5\n", encoding="utf-8")
    succeeds("convert", "x.csv", "x.npy")
    assert [list(row) for row in load("x.npy")] == [[1, 4], [2, 5], [3, 6.5]]
    refuses(3, "convert", "x.csv", "x.wav", says="expected a sensor recording")


def test_a_part_is_written_at_a_time():
    path = real("edf/test_uneven_samp.edf")
    done = taut("convert", path, "x.npy")
    assert done.returncode == 0 and "part 1 of 2" in said(done)
    done = summary("convert", path, "y.npy", "--part", "2")
    assert done["rate"] == 12.8 and done["part"] == 2 and done["n_time"] == 1408
    refuses(2, "convert", path, "z.npy", "--part", "3", says="--part")
    refuses(2, "convert", path, "z.npy", "--part", "x", says="--part")


def test_outputs_are_kept_unless_force_is_given():
    write_edf("x.edf", wave())
    succeeds("convert", "x.edf", "y.npy")
    before = cli.contents(".")
    refuses(4, "convert", "x.edf", "y.npy", says="exists already")
    assert cli.contents(".") == before
    succeeds("convert", "x.edf", "y.npy", "--force")
    assert cli.contents(".") == before
    succeeds("convert", "x.edf", "y.wav")  # beside the same side-car
    pathlib.Path("y.json").write_text("{}", encoding="utf-8")
    refuses(4, "convert", "x.edf", "y.bdf", says="y.json")
    assert not pathlib.Path("y.bdf").exists()
    refuses(4, "convert", "x.edf", "y.bdf", "--force", says="not of this program's making")
    assert pathlib.Path("y.json").read_text(encoding="utf-8") == "{}"
    cli.has_no_temporaries(".")


def test_force_replaces_the_side_cars_that_convert_wrote():
    write_edf("x.edf", wave())
    write_edf("z.edf", wave(), label="other")
    succeeds("convert", "x.edf", "y.wav")
    refuses(4, "convert", "z.edf", "y.wav", says="exists already")
    succeeds("convert", "z.edf", "y.wav", "--force")
    assert "other2" in pathlib.Path("y_channels.tsv").read_text(encoding="utf-8")
    assert "other2" in pathlib.Path("y.json").read_text(encoding="utf-8")


def test_wrong_usage_is_refused():
    write_edf("x.edf", wave())
    refuses(2, "convert", "x.edf", says="IN OUT")
    refuses(2, "convert", "x.edf", "y.xyz", says="expected a name that ends with")
    refuses(4, "convert", "x.edf", "x.edf", "--force", says="expected another file than the input")
    refuses(4, "convert", "x.edf", "absent/y.npy", says="expected a folder")
    refuses(3, "convert", "absent.edf", "y.npy", says="absent.edf")
    refuses(3, "convert", real("edf/SC4001EC-Hypnogram.edf"), "y.npy", says="not events alone")
    refuses(3, "convert", "x.edf", "y.npy", "--mem-limit", "1k", says="memory")
    assert not list(pathlib.Path().glob("y*"))


def test_nan_is_kept_by_sound_and_refused_by_edf():
    write_edf("x.edf", wave())
    succeeds("convert", "x.edf", "x.wav")
    data = bytearray(pathlib.Path("x.wav").read_bytes())
    data[-8:] = struct.pack("<d", math.nan)
    pathlib.Path("x.wav").write_bytes(data)
    assert math.isnan(values("x.wav")[-1][-1])
    refuses(3, "convert", "x.wav", "z.edf", says="finite")


def test_the_same_bytes_for_any_number_of_threads():
    write_edf("x.edf", wave())
    for form in "npy", "wav", "edf":
        for jobs in 1, 4:
            succeeds("convert", "x.edf", f"j{jobs}.{form}", "-j", jobs, "--force")
        assert pathlib.Path(f"j1.{form}").read_bytes() == pathlib.Path(f"j4.{form}").read_bytes()


def test_recordings_are_streamed():
    """41 MB of samples in 30 MB, whatever is written."""
    rows = [[(7 * t + 31 * c) % 4001 - 2000 for t in range(640)] for c in range(64)]
    write_edf("x.edf", rows, repeat=125)
    for form in "edf", "bdf", "fif", "npy", "wav":
        succeeds("convert", "x.edf", f"y.{form}", "--mem-limit", "30M")
    expected = [[0.5e-6 * x for x in row] * 125 for row in (rows[0], rows[63])]
    for again in "y.npy", "y.edf", "y.bdf", "y.wav", "y.fif":
        if again != "y.npy":
            succeeds("convert", again, "y.npy", "--force", "--mem-limit", "30M")
        found = load("y.npy")
        assert len(found) == 64
        assert distance([found[0], found[63]], expected) < 1e-6, again
    refuses(3, "denoise", "x.edf", "-o", "d.edf", "--mem-limit", "30M", says="memory")


def test_malformed_recordings_get_their_verdicts():
    bad_sensor_files.make("bad")
    with open("bad/cases.tsv", encoding="utf-8") as table:
        cases = list(csv.DictReader(table, delimiter="\t"))
    for case in cases:
        name, path = case["name"], "bad/" + case["file"]
        if name.startswith("fif"):
            continue
        if case["verdict"] == "reject":
            refuses(3, "convert", path, "x.npy", "--force")
        else:
            done = succeeds("convert", path, "x.npy", "--force")
            assert ("warning" in said(done)) == (case["notes"] == "warn") or name in (
                "edf_two_rates", "wav_float_nan"), (name, said(done))
    patient = taut("info", "bad/edf_patient/edf_patient.edf", "--json")
    assert patient.returncode == 0 and b"Jane_Doe" not in patient.stdout + patient.stderr


if __name__ == "__main__":
    cli.run(globals())
