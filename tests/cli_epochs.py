# SPDX-License-Identifier: BSD-3-Clause
"""Epochs of `taut sources`: when they are, which of them count, and what their events are.

    cli_epochs.py TAUT

Recordings are made here, of 60 EEG channels of which the average around every event is the same
template, the first half second of an average; so what is found must not depend on gaps.
"""
import os
import pathlib
import struct

import cli
from cli import refuses, said, succeeds, summary

MEEG = pathlib.Path(os.environ.get("TAUT_DATA", "absent")) / "meeg"
EVOKED = MEEG / "sample-ave.fif"
FORWARD = MEEG / "sample-small-meg-eeg-fwd.fif"
RATE = 200
N = 120  # samples of the template, which begins 40 before its event
SCALE = 0.01e-6  # V of a digit


def npy(path):
    """The rows of a little-endian .npy of float64."""
    data = pathlib.Path(path).read_bytes()
    size = struct.unpack("<H", data[8:10])[0]
    header = eval(data[10:10 + size].decode())  # a literal
    rows, columns = header["shape"]
    values = struct.unpack(f"<{rows * columns}d", data[10 + size:])
    return [values[i * columns:(i + 1) * columns] for i in range(rows)]


def template():
    """{channel: integers}, of 60 EEG channels."""
    if not EVOKED.exists():
        raise cli.Skip(f"{EVOKED} is absent")
    succeeds("convert", EVOKED, "t.npy", "--part", "1", "-q", "--force")
    names = [c["name"] for c in summary("info", EVOKED)["files"][0]["channels"]
             if c["kind"] == "eeg"]
    every = summary("info", EVOKED)["files"][0]["channels"]
    rows = [row for row, c in zip(npy("t.npy"), every) if c["kind"] == "eeg"]
    ints = {name: [round(v / SCALE) for v in row[60:60 + N]] for name, row in zip(names, rows)}
    mean = [round(sum(row[t] for row in ints.values()) / len(ints)) for t in range(N)]
    return {name: [v - m for v, m in zip(row, mean)] for name, row in ints.items()}


def blank(shape, n):
    """Something else than the template, different in every channel, that has no mean over 2 s."""
    return {name: [(37 * i % 11 - 5) * (1 if t // 4 % 2 else -1) for t in range(n)]
            for i, name in enumerate(shape)}


def put(data, shape, at, sign=1):
    for name, row in shape.items():
        data[name][at - 40:at - 40 + N] = [sign * v for v in row]


def field(value, width):
    return str(value).encode().ljust(width)


def text_list(onset, text, duration=None):
    length = b"" if duration is None else b"\x15%g" % duration
    return b"+%g" % onset + length + b"\x14" + text.encode() + b"\x14\0"


def edf(path, data, starts, events=(), status=None):
    """Records of a second, of which record r begins at starts[r]; status: a BDF of those codes."""
    bdf = status is not None
    width, notes = (3 if bdf else 2), 120
    names = list(data) + (["Status"] if bdf else []) + [("BDF" if bdf else "EDF") + " Annotations"]
    top = 8388600 if bdf else 32700
    physical = [-top // 100, top // 100]  # uV, of SCALE
    n = len(names)
    head = b"\xffBIOSEMI" if bdf else field("0", 8)
    head += field("X", 80) + field("X", 80) + field("01.01.20", 8) + field("10.00.00", 8)
    head += field(256 * (n + 1), 8) + field(("BDF" if bdf else "EDF") + "+D", 44)
    head += field(len(starts), 8) + field(1, 8) + field(n, 4)
    kinds = [len(data) + (1 if bdf else 0) > i for i in range(n)]
    for value, w in ((lambda i: names[i], 16), (lambda i: "", 80),
                     (lambda i: "uV" if i < len(data) else "", 8),
                     (lambda i: physical[0] if i < len(data) else -1, 8),
                     (lambda i: physical[1] if i < len(data) else 1, 8),
                     (lambda i: -top, 8), (lambda i: top, 8), (lambda i: "", 80),
                     (lambda i: RATE if kinds[i] else notes, 8), (lambda i: "", 32)):
        head += b"".join(field(value(i), w) for i in range(n))
    body = bytearray()
    rows = list(data.values()) + ([status] if bdf else [])
    for r, start in enumerate(starts):
        for row in rows:
            for v in row[r * RATE:(r + 1) * RATE]:
                body += (v & ((1 << 8 * width) - 1)).to_bytes(width, "little")
        here = [e for e in events if max([s for s in starts if s <= e[0]]) == start]
        lists = text_list(start, "") + b"".join(text_list(*event) for event in here)
        body += lists.ljust(notes * width, b"\0")
    pathlib.Path(path).write_bytes(head + body)


def covariance(path, names):
    """A diagonal covariance of 0.2 uV."""
    def tag(kind, code, payload):
        return struct.pack(">4i", kind, code, len(payload), 0) + payload

    def number(kind, value):
        return tag(kind, 3, struct.pack(">i", value))

    file = tag(100, 31, bytes((0, 1, 0, 3)) + bytes(16)) + number(101, -1)
    file += number(104, 355) + number(3530, 1) + number(3531, len(names)) + number(3536, 100)
    file += tag(3502, 10, ":".join(names).encode())
    file += tag(3533, 5, struct.pack(f">{len(names)}d", *[4e-14] * len(names)))
    file += number(105, 355) + struct.pack(">4i", 108, 0, 0, -1)
    pathlib.Path(path).write_bytes(file)


def arguments(recording, *options, folder="out"):
    return ["sources", recording, "--forward", FORWARD, "--noise-cov", "c-cov.fif", "-o", folder,
            "--force", "-q", "--epoch", "-0.2:0.395", "--tmin", "0", "--tmax", "0.3", "--orient",
            "fixed", *options]


def amplitudes(folder="out"):
    path = next(pathlib.Path(folder).glob("*_sources.npy"))
    return npy(path)


def found(recording, *options):
    return summary(*arguments(recording, *options)), amplitudes()


def same(a, b, tolerance=1e-9):
    assert len(a) == len(b), (len(a), len(b))
    most = max(abs(v) for row in a for v in row)
    assert max(abs(p - q) for r, s in zip(a, b) for p, q in zip(r, s)) <= tolerance * most


def unbroken():
    """A recording of 12 s with three epochs, and what is found in it."""
    shape = template()
    covariance("c-cov.fif", list(shape))
    data = blank(shape, 12 * RATE)
    for onset in (2, 5, 8.5):
        put(data, shape, int(onset * RATE))
    edf("whole.edf", data, range(12), [(2, "go"), (5, "go"), (8.5, "go")])
    told, x = found("whole.edf", "--condition", "go")
    assert told["nave"] == 3 and x
    return shape, data, x


def test_interrupted_recordings_are_as_unbroken_ones():
    shape, data, x = unbroken()
    # a gap of 90 s, one of 0.4 s that is no whole number of samples away, and a jump back
    for starts in ([*range(4), *range(94, 102)], [*range(6), *[t + 6.4013 for t in range(6)]],
                   [*range(20, 23), *range(3, 12)]):
        moved = [(starts[int(t)] + t % 1, "go") for t in (2, 5, 8.5)]
        edf("gap.edf", data, starts, moved)
        told, y = found("gap.edf", "--condition", "go")
        assert told["epochs"]["averaged"] == 3, (starts, told["epochs"])
        same(x, y)
    # an event so near to a gap that its epoch would reach over it
    starts = [*range(4), *range(94, 102)]
    moved = [(2, "go"), (95, "go"), (98.5, "go"), (3.9, "go"), (94.1, "go"), (50, "go")]
    edf("gap.edf", data, starts, moved)
    told, y = found("gap.edf", "--condition", "go")
    assert told["epochs"] == {"events": 6, "averaged": 3, "outside": 3, "repeated": 0,
                              "bad_spans": 0, "rejected": 0}, told["epochs"]
    same(x, y)
    refuses(3, *arguments("gap.edf", "--condition", "go", "--events", "none.tsv"), says="none.tsv")
    pathlib.Path("e.tsv").write_text("trial_type\tonset\ngo\t50\n")
    refuses(3, *arguments("gap.edf", "--events", "e.tsv"), says="0..3.995, 94..101.995 s")


def fif(path, data, skips, first=0, size=RATE):
    """A raw recording in buffers of `size` samples; skips: {buffer: buffers left out before it}."""
    def tag(kind, code, payload):
        return struct.pack(">4i", kind, code, len(payload), 0) + payload

    def block(kind, *tags):
        return tag(104, 3, struct.pack(">i", kind)) + b"".join(tags) + tag(105, 3, struct.pack(
            ">i", kind))

    names = list(data)
    channels = [tag(203, 30, struct.pack(">iiiffi12fii16s", i + 1, i + 1, 2, 1.0, SCALE, 1,
                                         *[0.0] * 12, 107, 0, name.encode()))
                for i, name in enumerate(names)]
    info = block(101, tag(200, 3, struct.pack(">i", len(names))),
                 tag(201, 4, struct.pack(">f", RATE)), *channels)
    buffers = [tag(208, 3, struct.pack(">i", first))]
    for b in range(len(data[names[0]]) // size):
        if b in skips:
            buffers.append(tag(301, 3, struct.pack(">i", skips[b])))
        values = [data[n][t] for t in range(b * size, (b + 1) * size) for n in names]
        buffers.append(tag(300, 2, struct.pack(f">{len(values)}h", *values)))
    pathlib.Path(path).write_bytes(
        tag(100, 31, bytes((0, 1, 0, 3)) + bytes(16)) + tag(101, 3, struct.pack(">i", -1))
        + block(100, info, block(102, *buffers)) + struct.pack(">4i", 108, 0, 0, -1))


def test_fif_with_gaps():
    shape, data, x = unbroken()
    fif("g_raw.fif", data, {4: 7, 8: 2, 10: 1}, first=1000)
    # samples 800, 1600 and 2000 are 7, 9 and 10 s later; events on the clock of the acquisition
    at = [400, 1000 + 1400, 1700 + 1800]
    near = [780, 2205, 1500, 3999]  # over an edge, or inside a gap
    write_list("g-eve.fif", [(1000 + s, 0, 1) for s in sorted(at + near)])
    told, y = found("g_raw.fif", "--events", "g-eve.fif", "--condition", "1")
    assert told["epochs"] == {"events": 7, "averaged": 3, "outside": 4, "repeated": 0,
                              "bad_spans": 0, "rejected": 0}, told["epochs"]
    same(x, y, 1e-6)
    # keeping bad spans does not make data of a gap
    told, _ = found("g_raw.fif", "--events", "g-eve.fif", "--condition", "1", "--keep-bad-spans")
    assert told["nave"] == 3
    # filters do not reach over a gap: the stretch alone gives the same
    table = "onset\tdata\n" + "".join(f"{s / RATE}\t0\n" for s in at[:1])
    pathlib.Path("one.tsv").write_text(table)
    _, y = found("g_raw.fif", "--events", "one.tsv", "--band", "1:40")
    fif("a_raw.fif", {name: row[:800] for name, row in data.items()}, {})
    same(found("a_raw.fif", "--events", "one.tsv", "--band", "1:40")[1], y)


def test_a_window_of_continuous_data_is_of_the_stretch_that_has_it():
    shape, data, _ = unbroken()
    edf("gap.edf", data, [*range(4), *range(94, 102)])
    base = ["sources", "gap.edf", "--forward", FORWARD, "--noise-cov", "c-cov.fif", "-o", "out",
            "--force", "-q", "--orient", "fixed"]
    one = summary(*base, "--tmin", "2", "--tmax", "2.2")
    two = summary(*base, "--tmin", "95", "--tmax", "95.2")
    assert abs(one["alpha_max"] / two["alpha_max"] - 1) < 1e-9 and one["tmin"] == 2
    assert two["tmin"] == 95
    refuses(2, *base, "--tmin", "3", "--tmax", "95", says="0..3.995, 94..101.995 s")
    refuses(2, *base, "--tmin", "50", "--tmax", "60", says="0..3.995, 94..101.995 s")
    refuses(2, *base, "--tmin", "95", "--tmax", "94", says="95..94 s")


def test_spans_of_bad_data_drop_epochs():
    shape, data, x = unbroken()
    bad = {name: list(row) for name, row in data.items()}
    put(bad, shape, 5 * RATE, -3)
    events = [(2, "go"), (5, "go"), (8.5, "go")]
    for text, onset, duration in (("BAD_jump", 5.3, 0.5), ("bad", 4.7, 0.2), ("EDGE boundary", 5, 0),
                                  ("BAD_ACQ_SKIP", 4, 3), ("Bad boundary", 5.1, 0)):
        edf("bad.edf", bad, range(12), sorted([*events, (onset, text, duration)]))
        told, y = found("bad.edf", "--condition", "go")
        assert told["nave"] == 2 and told["epochs"]["bad_spans"] == 1, (text, told["epochs"])
        same(x, y)
        told, y = found("bad.edf", "--condition", "go", "--keep-bad-spans")
        assert told["nave"] == 3 and told["epochs"]["bad_spans"] == 0
        # spans are no events
        told, _ = found("bad.edf")
        assert told["epochs"]["events"] == 3, told["epochs"]
    # just before and just after an epoch
    edf("bad.edf", data, range(12), sorted([*events, (4.7, "BAD_a", 0.1), (5.4, "BAD_b", 1)]))
    assert found("bad.edf", "--condition", "go")[0]["nave"] == 3
    # a table of events keeps the spans of the file, and has some of its own
    edf("bad.edf", bad, range(12), [(5.3, "BAD_jump", 0.5)])
    pathlib.Path("e.tsv").write_text("duration\ttrial_type\tonset\n0\tgo\t2\n0\tgo\t5\n0\tgo\t8.5\n")
    told, y = found("bad.edf", "--events", "e.tsv")
    assert told["epochs"]["bad_spans"] == 1
    same(x, y)
    edf("bad.edf", bad, range(12))
    with open("e.tsv", "a") as file:
        file.write("0.5\tBAD_x\t5.3\n")
    same(x, found("bad.edf", "--events", "e.tsv")[1])
    done = cli.taut(*arguments("bad.edf", "--events", "e.tsv"))
    assert "1 of 3 epochs are in spans of bad data" in said(done), said(done)


def test_events_at_one_sample_count_once():
    shape, data, x = unbroken()
    edf("twice.edf", data, range(12), [(2, "go"), (2.001, "go"), (5, "go"), (8.5, "go")])
    told, y = found("twice.edf", "--condition", "go")
    assert told["nave"] == 3 and told["epochs"]["repeated"] == 1
    same(x, y)


def test_one_trial_stands_alone():
    shape, data, x = unbroken()
    put(data, shape, 5 * RATE, 2)
    edf("three.edf", data, range(12), [(2, "go"), (5, "go"), (8.5, "go")])
    same(x, found("three.edf", "--trial", "1")[1])
    told, y = found("three.edf", "--trial", "2")
    assert told["nave"] == 1
    same([[2 * v for v in row] for row in x], y)
    refuses(2, *arguments("three.edf", "--trial", "4"), says="one of 3 epochs")


def codes(n, at):
    """A status word: CMS in range, and codes for 10 samples each from these on."""
    word = [1 << 20 | 1 << 16] * n
    for sample, code in at:
        for t in range(sample, sample + 10):
            word[t] |= code
    return word


def test_codes_of_a_status_channel():
    shape, data, x = unbroken()
    word = codes(12 * RATE, [(400, 1), (1000, 1), (1700, 1), (700, 2), (1300, 40000), (1400, 0x11)])
    edf("t.bdf", data, range(12), (), word)
    told = summary("info", "t.bdf")["files"][0]
    assert [e["value"] for e in told["events"]] == [1, 2, 1, 40000, 17, 1]
    text = succeeds("info", "t.bdf").stdout.decode()
    assert "codes        Status: 3 of 1, 1 of 2, 1 of 17, 1 of 40000" in text, text
    assert told["codes"][0] == {"channel": "Status", "value": 1, "count": 3}, told["codes"]
    same(x, found("t.bdf", "--condition", "1")[1], 1e-6)
    same(x, found("t.bdf", "--condition", "Status/1")[1], 1e-6)
    same(x, found("t.bdf", "--condition", "0x1", "--stim", "Status")[1], 1e-6)
    told, _ = found("t.bdf", "--condition", "1", "--stim-mask", "15")
    assert told["nave"] == 4, told["nave"]  # 17 & 15
    assert found("t.bdf", "--condition", "1,2")[0]["nave"] == 4
    assert found("t.bdf", "--condition", "40000")[0]["nave"] == 1
    refuses(3, *arguments("t.bdf", "--condition", "3"), says='3 of "Status/1"')
    refuses(2, *arguments("t.bdf", "--stim", "STI 014"), says="STI 014")
    done = cli.taut(*arguments("t.bdf"))
    assert "events of 4 kinds are averaged together" in said(done), said(done)


def test_codes_survive_conversion():
    shape, data, _ = unbroken()
    word = codes(12 * RATE, [(400, 1), (700, 32768), (1000, 1), (1300, 40000),
                              (1700, 65535)])
    edf("t.bdf", data, range(12), (), word)
    for name in ("f.fif", "b.bdf", "e.edf", "w.wav", "c.wav"):
        done = cli.taut("convert", "t.bdf", name, "-q")
        if done.returncode != 0:
            assert "Status" in said(done) or "cannot" in said(done), said(done)
            continue
        told = summary("info", name)["files"][0]
        assert [c["value"] for c in told["codes"]] == [1, 32768, 40000, 65535], (name, told)
        assert [c["count"] for c in told["codes"]] == [2, 1, 1, 1], (name, told)
        seen = found(name, "--condition", "1", "--stim", "Status", "--tmin", "0.1")
        assert seen[0]["nave"] == 2, name


def write_list(path, events):
    """-eve.fif as MNE-Python writes it: block 361, tag 3561 of sample, code before, code."""
    def tag(kind, code, payload):
        return struct.pack(">4i", kind, code, len(payload), 0) + payload

    file = tag(100, 31, bytes((0, 1, 0, 3)) + bytes(16)) + tag(101, 3, struct.pack(">i", -1))
    file += tag(104, 3, struct.pack(">i", 361))
    numbers = [v for event in events for v in event]
    file += tag(3561, 3, struct.pack(f">{len(numbers)}i", *numbers))
    file += tag(105, 3, struct.pack(">i", 361)) + struct.pack(">4i", 108, 0, 0, -1)
    pathlib.Path(path).write_bytes(file)


def test_lists_of_events():
    shape, data, x = unbroken()
    edf("w.edf", data, range(12))
    events = [(400, 0, 1), (700, 0, 2), (1000, 0, 1), (1700, 0, 1)]
    write_list("w-eve.fif", events)
    pathlib.Path("w.eve").write_text("".join("%6d %6d %3d\n" % e for e in events))
    pathlib.Path("old.eve").write_text("# sample time from to\n" + "".join(
        "%d %.3f %d %d\n" % (s, s / RATE, a, b) for s, a, b in events))
    pathlib.Path("v.tsv").write_text("value\tsample\tonset\n" + "".join(
        f"{b}\t{s}\t{s / RATE}\n" for s, a, b in events))
    for name in ("w-eve.fif", "w.eve", "old.eve", "v.tsv"):
        told, y = found("w.edf", "--events", name, "--condition", "1")
        assert told["nave"] == 3, name
        same(x, y)
        refuses(3, *arguments("w.edf", "--events", name, "--condition", "7"), says="3 of \"1\"")
    pathlib.Path("v.tsv").write_text("trial_type\tvalue\tonset\nleft\t1\t2\nright\t1\t5\n"
                                     "left\t1\t8.5\nleft\t2\t7\n")
    same(x, found("w.edf", "--events", "v.tsv", "--condition", "1")[1])
    pathlib.Path("bad.eve").write_text("400 0 1\n500 0\n")
    refuses(3, *arguments("w.edf", "--events", "bad.eve"), says="line 2")
    refuses(3, *arguments("w.edf", "--events", FORWARD), says="a forward solution")
    # samples count through the stretches as they are stored
    edf("gap.edf", data, [*range(4), *range(94, 102)])
    same(x, found("gap.edf", "--events", "w.eve", "--condition", "1")[1])


def brainvision(stem, data, markers, first="Brain Vision Data Exchange Marker File, Version 1.0"):
    names = list(data)
    n = len(data[names[0]])
    pathlib.Path(f"{stem}.vhdr").write_text(
        "Brain Vision Data Exchange Header File Version 1.0\n[Common Infos]\n"
        f"DataFile={stem}.eeg\nMarkerFile={stem}.vmrk\nDataFormat=BINARY\n"
        f"DataOrientation=MULTIPLEXED\nNumberOfChannels={len(names)}\n"
        f"SamplingInterval={1000000 // RATE}\n[Binary Infos]\nBinaryFormat=INT_16\n"
        "[Channel Infos]\n" + "".join(f"Ch{i + 1}={name},,0.01,uV\n"
                                      for i, name in enumerate(names)))
    pathlib.Path(f"{stem}.eeg").write_bytes(struct.pack(
        f"<{n * len(names)}h", *[data[name][t] for t in range(n) for name in names]))
    pathlib.Path(f"{stem}.vmrk").write_text(
        (first + "\n" if first else "") + "[Marker Infos]\n" + "".join(
            f"Mk{i + 1}={kind},{text},{at + 1},1,0\n"
            for i, (kind, text, at) in enumerate(markers)))


def test_codes_and_segments_of_brainvision():
    shape, data, x = unbroken()
    markers = [("New Segment", "", 0), ("Stimulus", "S  1", 400), ("Stimulus", "S  2", 700),
               ("Stimulus", "S  1", 1000), ("New Segment", "", 1200), ("Stimulus", "S  1", 1150),
               ("Stimulus", "S  1", 1220), ("Stimulus", "S  1", 1700)]
    brainvision("b", data, markers)
    told, y = found("b.vhdr", "--condition", "1")
    assert told["nave"] == 3 and told["epochs"]["outside"] == 2, told["epochs"]
    same(x, y, 1e-6)
    assert found("b.vhdr")[0]["nave"] == 4  # New Segment is no event
    brainvision("b", data, [*markers, ("Response", "R  1", 1500)])
    refuses(2, *arguments("b.vhdr", "--condition", "1"), says="Response/R  1")
    same(x, found("b.vhdr", "--condition", "Stimulus/S  1")[1], 1e-6)


def test_brainvision_of_other_makers():
    shape, data, x = unbroken()
    markers = [("Stimulus", "S  1", at) for at in (400, 1000, 1700)]
    brainvision("b", data, markers, first="")
    told, y = found("b.vhdr", "--condition", "1")
    same(x, y, 1e-6)
    assert "first line" in said(cli.taut(*arguments("b.vhdr", "--condition", "1")))
    # most significant byte first
    stored = pathlib.Path("b.eeg").read_bytes()
    header = pathlib.Path("b.vhdr").read_text()
    for letter, name in (("h", "INT_16"), ("i", "INT_32"),
                         ("f", "IEEE_FLOAT_32")):
        values = struct.unpack(f"<{len(stored) // 2}h", stored)
        pathlib.Path("b.eeg").write_bytes(struct.pack(f">{len(values)}{letter}", *values))
        pathlib.Path("b.vhdr").write_text(header.replace(
            "BinaryFormat=INT_16", f"BinaryFormat={name}\nUseBigEndianOrder=YES"))
        same(x, found("b.vhdr", "--condition", "1")[1], 1e-6)
    for key, value in (("DataType", "FREQUENCYDOMAIN"), ("DataType", "TIMEFREQUENCYDOMAIN"),
                       ("UseBigEndianOrder", "maybe")):
        text = header.replace("BinaryFormat=INT_16", f"BinaryFormat=INT_16\n{key}={value}") \
            if key == "UseBigEndianOrder" else header.replace("DataFormat", f"{key}={value}\nDataFormat")
        pathlib.Path("b.vhdr").write_text(text)
        refuses(3, "info", "b.vhdr", says=value)


def test_baselines_and_windows_outside_the_data():
    shape, data, x = unbroken()
    for baseline in ("-5:-3", "2:3", "-0.3:-0.201", "0.39:9", "0.4:", ":-0.3", "0.301:0.304"):
        refuses(2, *arguments("whole.edf", "--baseline", baseline), says="-0.2..0.395 s")
    for window in (("--tmin", "-0.5"), ("--tmax", "0.41"), ("--tmin", "0.31")):
        refuses(2, *arguments("whole.edf", *window), says="-0.2..0.395 s")
    for bad in ("nan", "NaN", "inf", "-nan", "1e999"):
        for option in ("--tmin", "--tmax", "--lambda", "--tol", "--depth", "--certify", "--trial"):
            refuses(2, *arguments("whole.edf", option, bad), says=option)
        refuses(2, *arguments("whole.edf", "--reject", f"eeg={bad}"), says="--reject")
        refuses(2, *arguments("whole.edf", "--orient", f"loose={bad}"), says="--orient")
        for option in ("--baseline", "--band", "--epoch"):
            for text in (f"{bad}:0.1", f"0.1:{bad}"):
                refuses(2, *arguments("whole.edf", option, text), says=option)


def test_a_baseline_has_the_samples_that_mne_takes():
    # alpha_max of the average less the mean that Evoked.apply_baseline of MNE-Python 1.3.0 takes
    # out; half-way between samples, and with ends between them
    if not EVOKED.exists():
        raise cli.Skip(f"{EVOKED} is absent")
    for baseline, expected in GOLDEN_BASELINES.items():
        told = summary("sources", EVOKED, "--forward", FORWARD, "--noise-cov",
                       MEEG / "sample-cov.fif", "-o", "out", "--force", "-q", "--condition",
                       "Left Auditory", "--baseline", baseline, "--tmin", ".06", "--tmax", ".12",
                       "--orient", "fixed", "--lambda", "0.9", "--bads", "MEG 2443,EEG 053")
        assert abs(told["alpha_max"] / expected - 1) < 1e-6, (baseline, told["alpha_max"])


GOLDEN_BASELINES = {
    ":0": 15.162673236, "-0.1:-0.05": 16.944016097, "-0.100730087:-0.050781283": 16.944016097,
    "-0.0999:0.1001": 15.126790074, "0.2:": 14.672853574, "-0.2:0.0": 15.162673236}

if __name__ == "__main__":
    cli.run(globals())
