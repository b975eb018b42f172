#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""`taut solve`: problems on arrays, by every method, with their traces and paths.

    cli_solve.py TAUT
"""
import array
import pathlib
import random
import struct

import cli
from cli import refuses, said, succeeds, summary

N_SERIES, N_OBSERVED = 5, 30


def write_npy(path, rows):
    """Writes rows as a float64 .npy."""
    header = "{'descr': '<f8', 'fortran_order': False, 'shape': (%d, %d), }" % (len(rows),
                                                                              len(rows[0]))
    header += " " * (-(len(header) + 11) % 64) + "\n"
    values = array.array("d", (x for row in rows for x in row))
    pathlib.Path(path).write_bytes(b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) +
                                   header.encode() + values.tobytes())
    return path


def read_npy(path):
    """(shape, values) of a float64 .npy in C order."""
    data = pathlib.Path(path).read_bytes()
    n, = struct.unpack_from("<H", data, 8)
    header = eval(data[10:10 + n].decode())  # a literal that this program wrote
    assert header["descr"] == "<f8" and not header["fortran_order"], header
    values = array.array("d")
    values.frombytes(data[10 + n:])
    return header["shape"], values


def normal(n_rows, n_columns, seed):
    rand = random.Random(seed)
    return [[rand.gauss(0.0, 1.0) for _ in range(n_columns)] for _ in range(n_rows)]


def data(name="x.npy"):
    return write_npy(name, normal(N_SERIES, N_OBSERVED, 1))


def solve(problem, *arguments, out="u.npy"):
    return summary("solve", problem, "--data", "x.npy", "-o", out, "--force", *arguments)


def close(a, b, tol):
    return max(abs(x - y) for x, y in zip(a, b)) <= tol


def rows(path="t.tsv"):
    lines = pathlib.Path(path).read_text().splitlines()
    assert lines[0].split("\t") == ["iteration", "objective_mean", "gap_mean", "gap_max", "seconds"]
    return [[float(x) for x in line.split("\t")] for line in lines[1:]]


def test_every_method_for_tv_finds_the_same_solution():
    data()
    write_npy("a.npy", normal(N_OBSERVED, 12, 2))
    solve("tv", "--operator", "a.npy", "--lambda-ratio", "0.1")
    shape, reference = read_npy("u.npy")
    assert shape == (N_SERIES, 12)
    for name in ("apgd", "condat-vu", "dual-apgd", "dual-pgd", "fista", "homotopy", "pgd",
                 "synthesis-cd", "synthesis-fista", "synthesis-ista", "synthesis-lars"):
        found = solve("tv", "--operator", "a.npy", "--lambda-ratio", "0.1", "--solver", name,
                      "--tol", "1e-12", "--max-iter", "1000000")
        assert found["status"]["solved"] == N_SERIES, (name, found)
        assert close(read_npy("u.npy")[1], reference, 1e-4), name


def test_every_method_for_the_lasso_finds_the_same_solution():
    data()
    write_npy("d.npy", normal(N_OBSERVED, 50, 3))
    solve("lasso", "--operator", "d.npy", "--lambda-ratio", "0.2")
    _, reference = read_npy("u.npy")
    for name in ("bt-ista", "cd", "fista", "greedy-cd", "ista", "lars", "oista"):
        found = solve("lasso", "--operator", "d.npy", "--lambda-ratio", "0.2", "--solver", name,
                      "--tol", "1e-12", "--max-iter", "1000000")
        assert found["status"]["solved"] == N_SERIES, (name, found)
        assert close(read_npy("u.npy")[1], reference, 1e-4), name


def test_a_method_that_does_not_apply_says_why():
    data()
    write_npy("wide.npy", normal(N_OBSERVED, 50, 3))
    refuses(2, "solve", "tv", "--data", "x.npy", "--operator", "wide.npy", "--lambda-ratio", "0.1",
            "--solver", "dual-pgd", "-o", "u.npy")


def test_ratio_value_and_list_are_the_same_lambda():
    data()
    response = ("--hrf", "spm", "--tr", "2")
    found = solve("tv", *response, "--lambda-ratio", "1")
    solve("tv", *response, "--lambda-ratio", "0.3", out="ratio.npy")
    largest = found["lambda_max"]["max"]
    at_largest = solve("tv", *response, "--lambda", repr(0.3 * largest), out="value.npy")
    assert at_largest["lambda"] == {"min": 0.3 * largest, "median": 0.3 * largest,
                                    "max": 0.3 * largest}
    pathlib.Path("l.txt").write_text("\n".join([repr(0.3 * largest)] * N_SERIES) + "\n")
    solve("tv", *response, "--lambdas", "l.txt", out="list.npy")
    assert read_npy("value.npy") == read_npy("list.npy")
    pathlib.Path("l.txt").write_text("1\n2\n")
    refuses(3, "solve", "tv", "--data", "x.npy", "--lambdas", "l.txt", "-o", "n.npy", says="found 2")


def test_the_start_decides_where_a_trace_begins():
    data()
    write_npy("a.npy", normal(N_OBSERVED, 12, 2))
    first = {}
    for start in ("const", "zero", "pinv"):
        found = solve("tv", "--operator", "a.npy", "--lambda-ratio", "0.1", "--solver", "pgd",
                      "--start", start, "--trace", "t.tsv")
        table = rows()
        first[start] = table[0][1]
        assert [row[0] for row in table] == list(range(len(table))), start
        objectives = [row[1] for row in table]
        assert all(b <= a + 1e-12 for a, b in zip(objectives, objectives[1:])), start
        assert abs(objectives[-1] - found["objective"]["mean"]) < 1e-9, start
        assert table[-1][3] <= 1e-6 < table[0][3], start
    assert len(set(first.values())) == 3, first
    solve("tv", "--operator", "a.npy", "--lambda-ratio", "0.1", out="s.npy")
    solve("tv", "--operator", "a.npy", "--lambda-ratio", "0.1", "--solver", "pgd", "--start",
          "s.npy", "--trace", "t.tsv")
    assert rows()[0][3] < 1e-9


def test_a_long_trace_is_thinned():
    data()
    solve("tv", "--hrf", "spm", "--tr", "1", "--lambda-ratio", "0.001", "--solver", "synthesis-ista",
          "--tol", "0", "--max-iter", "20000", "--trace", "t.tsv")
    steps = [int(row[0]) for row in rows()]
    assert steps[:1001] == list(range(1001)) and steps[-1] == 20000, steps[-3:]
    assert len([s for s in steps if 1000 < s <= 10000]) == 20


def test_a_trace_does_not_depend_on_threads():
    write_npy("x.npy", normal(100, N_OBSERVED, 4))
    tables = []
    for jobs in (1, 3):
        solve("tv", "--hrf", "spm", "--tr", "1", "--lambda-ratio", "0.1", "--solver", "fista",
              "--trace", "t.tsv", "-j", str(jobs))
        tables.append([row[:4] for row in rows()])
    assert tables[0] == tables[1]


def test_a_path_passes_through_single_solutions():
    data()
    response = ("--hrf", "spm", "--tr", "2")
    found = solve("tv", *response, "--lambda-ratio", "0.01", "--path", "5", out="p.npy")
    shape, path = read_npy("p.npy")
    assert shape == (N_SERIES, 5, N_OBSERVED)
    assert len(found["lambdas"]) == N_SERIES and len(found["lambdas"][0]) == 5
    assert close(found["ratios"], [10.0 ** (-k / 2.0) for k in range(5)], 1e-15)
    for k, ratio in enumerate(found["ratios"]):
        solve("tv", *response, "--lambda-ratio", repr(ratio))
        _, u = read_npy("u.npy")
        for v in range(N_SERIES):
            at = (v * 5 + k) * N_OBSERVED
            assert close(path[at:at + N_OBSERVED], u[v * N_OBSERVED:(v + 1) * N_OBSERVED], 1e-7)


def test_bad_series_do_not_touch_the_others():
    x = normal(N_SERIES, N_OBSERVED, 1)
    x[1][4] = float("nan")
    x[3] = [7.0] * N_OBSERVED
    write_npy("x.npy", x)
    found = solve("tv", "--hrf", "spm", "--tr", "2", "--lambda-ratio", "0.1")
    assert found["status"] == {"solved": 3, "constant": 1, "nonfinite": 1, "inaccurate": 0,
                               "skipped": 0}
    _, u = read_npy("u.npy")
    assert not any(u[N_OBSERVED:2 * N_OBSERVED])
    data()
    solve("tv", "--hrf", "spm", "--tr", "2", "--lambda-ratio", "0.1", out="good.npy")
    assert read_npy("good.npy")[1][:N_OBSERVED] == u[:N_OBSERVED]


def test_text_is_read_like_binary():
    data()
    solve("tv", "--lambda-ratio", "0.1")
    reference = read_npy("u.npy")
    for name, separator in (("x.csv", ","), ("x.tsv", "\t"), ("x.txt", " ")):
        text = "\n".join(separator.join(repr(v) for v in frame)
                         for frame in zip(*normal(N_SERIES, N_OBSERVED, 1)))
        pathlib.Path(name).write_text(text + "\n")
        summary("solve", "tv", "--data", name, "--lambda-ratio", "0.1", "-o", "t.npy", "--force")
        assert read_npy("t.npy") == reference, name


def test_a_table_has_frames_in_rows_and_stays_a_table():
    # the same for every command, with a header or without, and back again
    series = [[v + 100.0 * (s == 1) for v in row]
              for s, row in enumerate(normal(N_SERIES, N_OBSERVED, 1))]
    names = [f"roi {s}" for s in range(N_SERIES)]
    write_npy("x.npy", series)
    reference = succeeds("solve", "tv", "--data", "x.npy", "--hrf", "spm", "--tr", "2",
                         "--lambda-ratio", "0.1", "-o", "u.npy")
    assert "1 of 5 series have a mean above their standard deviation" in said(reference)
    _, u = read_npy("u.npy")
    for header in ([], [",".join(names)]):
        lines = header + [",".join(map(repr, frame)) for frame in zip(*series)]
        pathlib.Path("t.csv").write_text("\n".join(lines) + "\n")
        [told] = summary("info", "t.csv")["files"]
        assert (told["n_series"], told["n_time"]) == (N_SERIES, N_OBSERVED), told
        succeeds("convert", "t.csv", "c.npy", "--force")
        assert read_npy("c.npy") == read_npy("x.npy")
        for out, separator in (("v.csv", ","), ("v.tsv", "\t"), ("v.txt", " "), ("v.1D", " ")):
            succeeds("solve", "tv", "--data", "t.csv", "--hrf", "spm", "--tr", "2",
                     "--lambda-ratio", "0.1", "-o", out, "--force")
            rows = [line.split(separator) for line in pathlib.Path(out).read_text().splitlines()]
            written = [name.replace(" ", "_") if separator == " " else name for name in names]
            assert not header or rows.pop(0) == written, rows[0]
            assert [float(v) for row in zip(*rows) for v in row] == list(u), out
            succeeds("convert", out, "w.npy", "--force")
            assert read_npy("w.npy") == read_npy("u.npy"), out
        succeeds("convert", "t.csv", "again.csv", "--force")
        assert pathlib.Path("again.csv").read_text() == pathlib.Path("t.csv").read_text()
    refuses(2, "solve", "tv", "--data", "x.npy", "--lambda-ratio", "0.1", "--path", "3", "-o",
            "p.tsv", says="--path: expected an output that ends with .npy")


def test_usage_and_inputs_are_refused():
    data()
    write_npy("a.npy", normal(N_OBSERVED, 12, 2))
    base = ("--data", "x.npy", "-o", "u.npy")
    refuses(2, "solve", says="tv|lasso")
    refuses(2, "solve", "ridge", *base, "--lambda", "1", says="ridge")
    refuses(2, "solve", "tv", *base, says="--lambda-ratio")
    refuses(2, "solve", "tv", *base, "--lambda-ratio", "1.5", says="0..1")
    refuses(2, "solve", "tv", *base, "--lambda", "1", "--lambda-ratio", "1", says="one of")
    refuses(2, "solve", "tv", *base, "--lambda", "-1", says="--lambda")
    refuses(2, "solve", "tv", *base, "--lambda", "nan", says="--lambda")
    refuses(2, "solve", "tv", *base, "--lambda", "1", "--hrf", "spm", says="--tr")
    refuses(2, "solve", "lasso", *base, "--lambda", "1", says="--operator")
    refuses(2, "solve", "tv", *base, "--lambda", "1", "--solver", "fist", says="fista")
    refuses(3, "solve", "tv", "--data", "y.npy", "-o", "u.npy", "--lambda", "1", says="y.npy")
    write_npy("b.npy", normal(N_OBSERVED + 1, 12, 2))
    refuses(3, "solve", "tv", *base, "--lambda", "1", "--operator", "b.npy", says="b.npy")
    refuses(3, "solve", "tv", *base, "--lambda", "1", "--hrf", "spm", "--tr", "0.1", "--conv",
            "full", says="x.npy")
    refuses(4, "solve", "tv", "--data", "x.npy", "-o", "no/u.npy", "--lambda", "1", says="no")
    assert not pathlib.Path("u.npy").exists()
    succeeds("solve", "tv", *base, "--lambda", "1")
    refuses(4, "solve", "tv", *base, "--lambda", "1", says="--force")


if __name__ == "__main__":
    cli.run(globals())
