# SPDX-License-Identifier: BSD-3-Clause
"""EEGLAB data sets, made here as MATLAB 5 files.

    cli_eeglab.py TAUT
"""
import pathlib
import struct

import cli
from cli import refuses, said, succeeds, summary

N, PNTS, RATE = 3, 200, 100.0
MICRO = 1e-6


def element(kind, payload):
    return struct.pack("<2I", kind, len(payload)) + payload + b"\0" * (-len(payload) % 8)


def matrix(code, dims, body, name="", flags=0):
    return element(14, element(6, struct.pack("<2I", code | flags, 0))
                   + element(5, struct.pack(f"<{len(dims)}i", *dims))
                   + element(1, name.encode()) + body)


def value(x, name=""):
    """A double, a row of letters, or what is a matrix already (given a name)."""
    if callable(x):
        return x(name)
    if isinstance(x, str):
        return matrix(4, (1, len(x)), element(4, x.encode("utf-16-le")), name)
    return matrix(6, (1, 1), element(9, struct.pack("<d", x)), name)


def array(values, dims, code=7):
    """Numbers in the order of MATLAB: singles, or doubles (6), or 16-bit integers (10)."""
    letter, kind = {7: ("f", 7), 6: ("d", 9), 10: ("h", 3)}[code]
    return lambda name: matrix(code, dims, element(kind, struct.pack(f"<{len(values)}{letter}",
                                                                     *values)), name)


def structs(rows):
    """An array of structs, all of the same fields."""
    fields = list(rows[0]) if rows else ["type"]
    names = b"".join(f.encode().ljust(32, b"\0") for f in fields)
    body = struct.pack("<2Hi", 5, 4, 32) + element(1, names)
    body += b"".join(value(row[f]) for row in rows for f in fields)
    return lambda name: matrix(2, (1, len(rows)), body, name)


def save(path, loose=False, **fields):
    head = b"MATLAB 5.0 MAT-file".ljust(124) + struct.pack("<H2s", 0x0100, b"IM")
    body = b"".join(value(x, k) for k, x in fields.items()) if loose \
        else structs([fields])("EEG")
    pathlib.Path(path).write_bytes(head + body)


def signal(n=PNTS):
    """Frame after frame."""
    return [float((7 * t + 31 * c) % 101 - 50) for t in range(n) for c in range(N)]


def fields(**changes):
    places = [{"labels": f"E{c}", "type": ("EEG", "EOG", "")[c]} for c in range(N)]
    return dict({"nbchan": float(N), "pnts": float(PNTS), "trials": 1.0, "srate": RATE,
                 "xmin": 0.0, "chanlocs": structs(places), "data": array(signal(), (N, PNTS)),
                 "event": structs([{"type": "go", "latency": 51.0, "duration": 0.0},
                                   {"type": "boundary", "latency": 100.5, "duration": 20.0},
                                   {"type": 7.0, "latency": 121.0, "duration": 10.0}])}, **changes)


def rows(path, *options):
    succeeds("convert", path, "o.npy", "--force", "-q", *options)
    data = pathlib.Path("o.npy").read_bytes()
    size = struct.unpack("<H", data[8:10])[0]
    return struct.unpack(f"<{(len(data) - 10 - size) // 8}d", data[10 + size:])


def same(found, frames, n=PNTS):
    assert len(found) == N * n
    for c in range(N):
        for t in range(n):
            expected = MICRO * frames[t * N + c]
            assert abs(found[c * n + t] - expected) <= 1e-12, (c, t)


def test_samples_and_events():
    for loose in (False, True):
        for code in (6, 7, 10):
            save("a.set", loose, **fields(data=array([int(v) if code == 10 else v
                                                      for v in signal()], (N, PNTS), code)))
            told = summary("info", "--check", "a.set")["files"][0]
            assert told["format"] == "EEGLAB" and told["rate_hz"] == RATE
            assert [c["name"] for c in told["channels"]] == ["E0", "E1", "E2"]
            assert [c["kind"] for c in told["channels"]] == ["eeg", "eog", "eeg"]
            events = [(e["text"], round(e["onset_s"], 9), e["duration_s"], e["value"])
                      for e in told["events"]]
            assert events == [("go", 0.5, 0.0, 0), ("boundary", 0.995, 0.0, 0),
                              ("7", 1.2, 0.1, 7)], events
            # the boundary lies between samples 99 and 100: nothing is joined over it
            assert told["parts"][0]["gaps"] == [{"start_s": 1.0, "duration_s": 0.0}], told["parts"]
            same(rows("a.set"), signal())


def test_samples_in_a_file_beside():
    pathlib.Path("a.fdt").write_bytes(struct.pack(f"<{N * PNTS}f", *signal()))
    save("a.set", **fields(data="a.fdt"))
    same(rows("a.set"), signal())
    pathlib.Path("a.set").rename("b.set")
    pathlib.Path("a.fdt").rename("b.fdt")
    assert "b.fdt instead" in said(cli.taut("convert", "b.set", "b.npy"))
    with open("b.fdt", "ab") as file:
        file.write(b"1234")
    refuses(3, "info", "b.set", says="found 2404")
    for name, why in (("../a.fdt", "same folder"), ("/etc/passwd", "same folder"),
                      ("c.fdt", "no such file"), ("a.dat", ".fdt")):
        save("c.set", **fields(data=name))
        refuses(3, "info", "c.set", says=why)


def test_epochs():
    save("e.set", **fields(trials=4.0, pnts=50.0, xmin=-0.1,
                           data=array(signal(), (N, 50, 4)),
                           event=structs([{"type": "go", "latency": 11.0, "duration": 0.0},
                                          {"type": "key", "latency": 30.0, "duration": 0.0},
                                          {"type": "go", "latency": 61.0, "duration": 0.0},
                                          {"type": "no", "latency": 111.0, "duration": 0.0},
                                          {"type": 5.0, "latency": 161.0, "duration": 0.0}])))
    parts = summary("info", "e.set")["files"][0]["parts"]
    assert [p["name"] for p in parts] == ["go", "go", "no", "5"]
    assert all(p["start_s"] == -0.1 and p["n_time"] == 50 for p in parts)
    for e in range(4):
        same(rows("e.set", "--part", e + 1), signal()[e * 50 * N:(e + 1) * 50 * N], 50)


def test_what_is_refused():
    pathlib.Path("h.set").write_bytes(b"MATLAB 7.3 MAT-file".ljust(512, b" ") + b"\x89HDF\r\n")
    refuses(3, "info", "h.set", says="7.3 (HDF5)")
    pathlib.Path("h.set").write_bytes(b"hello")
    refuses(3, "info", "h.set", says="version 5")
    save("h.set", True, x=1.0)
    refuses(3, "info", "h.set", says="nbchan")
    for changes, why in (({"srate": 0.0}, "srate"), ({"nbchan": -1.0}, "nbchan"),
                         ({"pnts": 1.5}, "pnts"), ({"pnts": 300.0}, "900"),
                         ({"pnts": 1e15}, "data"), ({"nbchan": float("nan")}, "nbchan")):
        save("h.set", **fields(**changes))
        refuses(3, "info", "h.set", says=why)


def test_no_array_is_larger_than_the_file():
    def claims(n, name):
        return matrix(6, (n, 1), element(9, struct.pack("<d", 1.0)), name)
    huge = lambda name: claims(1 << 28, name)
    nested = structs([{"labels": "E0", "X": huge}])
    cell = lambda name: matrix(1, (1 << 28, 1), b"", name)
    for loose in (False, True):
        for change in ({"other": huge}, {"chanlocs": nested}, {"other": cell}):
            save("h.set", loose, **fields(**change))
            refuses(3, "info", "h.set", says="says it is larger")
    save("g.set", **fields(other=lambda name: claims(1, name)))  # not by the test's own fault
    succeeds("info", "g.set")


def test_damage_does_no_harm():
    save("whole.set", **fields())
    whole = pathlib.Path("whole.set").read_bytes()
    for n in range(0, len(whole), 97):
        pathlib.Path("z.set").write_bytes(whole[:n])
        assert cli.taut("info", "--check", "z.set").returncode in (0, 3), n
    for at in range(128, 1500, 11):
        damaged = bytearray(whole)
        damaged[at] ^= 0x55
        pathlib.Path("z.set").write_bytes(damaged)
        assert cli.taut("info", "--check", "z.set").returncode in (0, 3), at


cli.run(globals())
