#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""`taut info` says what sensor recordings, forward solutions and covariances hold, and never who
was recorded.

    cli_info_sensors.py TAUT
"""
import gzip
import json
import os
import struct

import cli

SECRET = b"DOE^JOHN 19700101"


def ints(*values):
    return struct.pack(">%di" % len(values), *values)


def tag(kind, type_, payload=b"", next_=0):
    return struct.pack(">4i", kind, type_, len(payload), next_) + payload


def block(kind, *tags):
    return tag(104, 3, ints(kind)) + b"".join(tags) + tag(105, 3, ints(kind))


def channel(name, kind=2, unit=107, cal=1e-6):
    return tag(203, 30, struct.pack(">iiiffi12fii16s", 1, 1, kind, 1.0, cal, 0, *[0.0] * 12, unit,
                                    0, name))


def information(*channels, extra=b""):
    """What a measurement begins with; a patient in every field that has one."""
    subject = block(106, tag(401, 10, SECRET), tag(403, 10, SECRET), tag(410, 10, SECRET),
                    tag(404, 3, ints(2440588)))
    return block(101, tag(212, 10, SECRET), subject, tag(500, 10, SECRET), tag(501, 10, SECRET),
                 tag(200, 3, ints(len(channels))), tag(201, 4, struct.pack(">f", 100.0)),
                 *channels, extra)


def raw(*channels, n_time=50, extra=b"", annotations=b""):
    samples = b"".join(ints(t) * len(channels) for t in range(n_time))
    return b"".join([
        tag(100, 31, ints(0x10003, 0, 0, 0, 0)), tag(101, 3, ints(-1)),
        block(100, tag(206, 10, SECRET), information(*channels, extra=extra), annotations,
              block(102, tag(208, 3, ints(200)), tag(300, 3, samples))),
        tag(108, 0, b"", -1)])


def write(name, data):
    with open(name, "wb") as file:
        file.write(data)
    return name


def info(*arguments, status=0):
    done = cli.taut("info", *arguments)
    assert SECRET[:4] not in done.stdout + done.stderr, "a patient field was printed"
    assert done.returncode == status, (done.returncode, cli.said(done))
    return done.stdout.decode()


def facts(*arguments, status=0):
    return json.loads(info("--json", *arguments, status=status))["files"]


def shared(name):
    path = os.path.join(os.environ.get("TAUT_DATA", ""), "meeg", name)
    if not os.path.exists(path):
        raise cli.Skip(name)
    return path


def test_channels_rates_bads_and_events_are_told():
    bads = block(359, tag(3507, 10, b"EEG 002"))
    annotations = block(3810, tag(3568, 4, struct.pack(">2f", 2.1, 2.2)),
                        tag(3569, 4, struct.pack(">2f", 2.1, 2.4)), tag(206, 10, b"go:stop"))
    write("a_raw.fif", raw(channel(b"EEG 001"), channel(b"EEG 002"), channel(b"STI", 3, -1, 1.0),
                           extra=bads, annotations=annotations))
    [found] = facts("--check", "a_raw.fif")
    assert found["format"] == "FIF raw" and found["datatype"] == "int32", found
    assert found["n_channels"] == 3 and found["kinds"] == {"eeg": 2, "stim": 1}, found
    assert found["bads"] == ["EEG 002"] and found["rate_hz"] == 100, found
    assert found["first_sample"] == 200 and found["n_time"] == 50, found
    assert [c["name"] for c in found["channels"]] == ["EEG 001", "EEG 002", "STI"], found
    assert [c["unit"] for c in found["channels"]] == ["V", "V", ""], found
    assert abs(found["channels"][0]["gain"] / 1e-6 - 1) < 1e-7, found
    events = found["events"]
    assert [e["text"] for e in events] == ["go", "stop"], found
    assert abs(events[0]["onset_s"] - 0.1) < 1e-6 and events[0]["duration_s"] == 0, found
    assert abs(events[1]["duration_s"] - 0.2) < 1e-6, found
    assert found["check"] == {"n_series": 3, "n_constant": 0, "n_nonfinite": 0,
                              "n_nonfinite_samples": 0, "gzip_members": 0}, found
    assert "tr" not in found, found
    text = info("--check", "a_raw.fif")
    for line in ("channels     3: 2 eeg (V), 1 stim\n", "bad          EEG 002\n",
                 "length       50 samples, 0.5 s, from sample 200", "events       2: 1 go, 1 stop"):
        assert line in text, (line, text)


def test_compressed_files_say_the_same():
    data = raw(channel(b"EEG 001"))
    write("b_raw.fif", data)
    write("b_raw.fif.gz", gzip.compress(data))
    [plain] = facts("--check", "b_raw.fif")
    [packed] = facts("--check", "b_raw.fif.gz")
    assert packed["compressed"] and packed["check"]["gzip_members"] == 1, packed
    for key in ("path", "compressed", "check"):
        del plain[key], packed[key]
    assert plain == packed, (plain, packed)


def test_names_from_a_file_are_escaped():
    annotations = block(3810, tag(3568, 4, struct.pack(">f", 2.1)),
                        tag(3569, 4, struct.pack(">f", 2.1)), tag(206, 10, b"\x1b[2J\nx"))
    write("c_raw.fif", raw(channel(b"\x1b[31mRED"), annotations=annotations,
                           extra=block(359, tag(3507, 10, b"\x1b[31mRED"))))
    text = info("c_raw.fif")
    assert "\x1b" not in text and "\\x1b[31mRED" in text and "\\x1b[2J\\x0ax" in text, text
    assert "\x1b" not in info("--json", "c_raw.fif")


def test_what_is_not_finite_is_told():
    samples = struct.pack(">4f", 1, float("nan"), float("inf"), 2)
    data = b"".join([tag(100, 31, ints(0x10003, 0, 0, 0, 0)),
                     block(100, information(channel(b"EEG 001")),
                           block(102, tag(300, 4, samples))), tag(108, 0, b"", -1)])
    write("d_raw.fif", data)
    [found] = facts("--check", "d_raw.fif")
    assert found["check"]["n_nonfinite_samples"] == 2, found
    assert "nonfinite" in found["flags"], found


def test_conditions_of_averages_are_told():
    [found] = facts("--check", shared("sample-ave.fif"))
    assert found["format"] == "FIF evoked", found
    assert [p["name"] for p in found["parts"]] == [
        "Left Auditory", "Right Auditory", "Left visual", "Right visual"], found
    assert [p["n_averaged"] for p in found["parts"]] == [3, 6, 6, 6], found
    assert all(p["n_time"] == 421 for p in found["parts"]), found
    assert abs(found["parts"][0]["start_s"] + 120 / 600.614990234375) < 1e-12, found
    assert [p["name"] for p in found["projectors"]][3] == "Average EEG reference", found
    assert found["kinds"] == {"mag": 102, "grad": 204, "eeg": 60, "eog": 1, "stim": 9}, found


def test_forward_solutions_are_told():
    [found] = facts(shared("sample-small-meg-eeg-fwd.fif"))
    assert found["format"] == "FIF forward solution" and found["n_sources"] == 498, found
    assert found["kinds"] == {"mag": 102, "grad": 204, "eeg": 60}, found
    assert found["orientation"] == "free" and found["frame"] == "head", found
    assert [(s["id"], s["n_in_use"]) for s in found["spaces"]] == [(101, 246), (102, 252)], found
    assert found["warnings"] == [] and len(found["names"]) == 366, found


def test_covariances_are_told():
    [found] = facts(shared("sample-cov.fif"))
    assert found["format"] == "FIF noise covariance" and found["n_channels"] == 366, found
    assert not found["diagonal"] and found["n_free"] == 2904 and found["bads"] == [], found
    assert all(p["active"] for p in found["projectors"]) and len(found["projectors"]) == 4, found


def test_a_forward_solution_that_is_cut_is_refused_as_one():
    with open(shared("sample-small-meg-eeg-fwd.fif"), "rb") as file:
        data = file.read()
    # Without its sources; a gain that is not finite.
    write("e-fwd.fif", data.replace(ints(104, 3, 4, 0, 351), ints(104, 3, 4, 0, 999)))
    cli.refuses(3, "info", "e-fwd.fif", says="expected 498 sources, found 0")
    at = data.index(ints(3520, 0x40000004)) + 16
    write("f-fwd.fif", data[:at] + ints(0x7fc00000) + data[at + 4:])
    cli.refuses(3, "info", "f-fwd.fif", says="expected finite gains")
    write("g-fwd.fif", data[:-100000])
    cli.refuses(3, "info", "g-fwd.fif", says="to the end of the file")


def test_other_files_of_fif_are_named():
    for contents, name in ((block(361), "a list of events"), (block(313), "projections"),
                           (block(351), "source spaces"), (block(310), "surfaces of a boundary-element"),
                           (block(356, block(355)), "an inverse operator"),
                           (block(374), "an ICA decomposition"), (block(107), "digitised points"),
                           (block(3810), "annotations"), (tag(222, 35, bytes(104)), "a transform"),
                           (block(362), "morph maps"), (block(999), "something else")):
        data = b"".join([tag(100, 31, ints(0x10003, 0, 0, 0, 0)), contents, tag(108, 0, b"", -1)])
        write("h.fif", data)
        cli.refuses(3, "info", "h.fif", says="found " + name)
        cli.refuses(3, "sources", "h.fif", "--forward", "h.fif", "--noise-cov", "h.fif", "-o", "x",
                    says="found ")
    data = b"".join([tag(100, 31, ints(0x10003, 0, 0, 0, 0)),
                     block(100, information(channel(b"EEG 001")), block(373)),
                     tag(108, 0, b"", -1)])
    write("h-epo.fif", data)
    cli.refuses(3, "info", "h-epo.fif", says="epochs: expected samples")


def test_what_belongs_to_a_recording_is_named():
    for name, says in (("a.eve", "--events"), ("a.vmrk", ".vhdr"), ("a.eeg", ".vhdr"),
                       ("a.fdt", ".set"), ("a.sqd", "KIT"), ("a.stc", "source estimates")):
        write(name, b"400 0 1\n")
        cli.refuses(3, "info", name, says=says)


cli.run(globals())
