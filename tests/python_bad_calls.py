# SPDX-License-Identifier: BSD-3-Clause
"""Bad calls of the Python package: each ends in an exception of its own whose text names the
argument, and what was expected of it. Every call is good but for one argument.

    python_bad_calls.py TAUT
"""
import pathlib
import subprocess
import sys
import warnings

import cli
import pycase  # noqa: F401
from pycase import noisy, np, raises, taut

N, T = 6, 40
H = taut.hrf("spm", 2.0)
PROBLEM = taut.Problem.filter(H, T)
MATRIX = taut.Problem.matrix(np.random.default_rng(0).standard_normal((T, 12)), "lasso")
NETWORK = taut.Network("lpgd-taut:step", 2, PROBLEM)
X = noisy(N, T)
U = PROBLEM.solve(X, 0.5).u


class Hostile:
    """Whatever it is asked for, it has something else."""

    def __array__(self, *_, **__):
        raise RuntimeError("no array")

    def __float__(self):
        raise ValueError("no number")

    def __index__(self):
        raise TypeError("no index")


def with_nan(array, value=np.nan):
    array = np.array(array, dtype=float)
    array.flat[array.size // 2] = value
    return array


NOT_NUMBERS = [None, "text", b"bytes", object(), Hostile(), {}, {"a": 1}, [1.0, "a"], [[1.0], [1.0, 2.0]],
               np.array(["a"]), np.array([1j, 2j]), np.array([object()]), np.datetime64("2020-01-01"),
               lambda: 0]
BAD_SERIES = NOT_NUMBERS + [
    1.0, [], X[:, :-1], np.zeros((N, T + 1)), np.zeros((N, T, 1)), np.zeros((N, 0)), X.T,
    np.ma.masked_array(X, X > 0), X.astype(complex), X.astype("U8")]
BAD_NUMBER = ["0.1", None, [], {}, Hostile(), 1j, object()]
NOT_POSITIVE = [0.0, -1.0, -np.inf, np.inf, np.nan, -1e-300]
BAD_COUNT = ["1", None, 1.5, -1, -2**70, 2**70, [], {}, Hostile(), np.float64(3.0), True, 1j]
BAD_NAME = [None, 1, b"exact", "", "nothing", "exact ", "EXACT", "\0", "ex\0act", "é" * 600, [], object(),
            "\ud800"]
BAD_JOBS = [0, 4097, 2**70, 1.5, "1", [], True, object(), 1j]
BAD_LAMBDA = [0.0, -1.0, np.nan, np.inf, -np.inf, [], [1.0], [0.5] * (N + 1), with_nan([0.5] * N),
              [0.5] * (N - 1) + [-1.0], [0.5] * (N - 1) + [0.0], "0.5", [[0.5] * N], {}, object(), 1j,
              Hostile()]
BAD_OUT = [1, "out", [], np.zeros((N, T + 1)), np.zeros((N, T), dtype=int), np.zeros(N * T),
           np.zeros((N, T), dtype=">f8"), np.broadcast_to(0.0, (N, T)), object()]
BAD_PROBLEM = [None, 1, "problem", X, object(), NETWORK]
G = np.ones((N, T))

# what is called, its good arguments, and bad ones for each
CALLS = [
    (taut.hrf, {"model": "spm", "t_r": 2.0},
     {"model": [m for m in BAD_NAME if m != "\ud800"] + ["glover:x=1", "spm:=", "glover:ratio=nan"],
      "t_r": BAD_NUMBER + NOT_POSITIVE}),
    (taut.names, {"of": "hrf"}, {"of": BAD_NAME}),
    (taut.Problem.filter, {"h": H, "n_time": T},
     {"h": NOT_NUMBERS + [1.0, [], [[1.0]], with_nan(H), with_nan(H, np.inf), np.zeros(5)],
      "n_time": BAD_COUNT + [0, 2**40]}),
    (taut.Problem.matrix, {"a": np.eye(3), "kind": "tv"},
     {"a": NOT_NUMBERS + [1.0, [], [1.0], [[]], np.zeros((0, 3)), np.zeros((3, 0)), np.zeros((2, 2, 2)),
                          with_nan(np.eye(3)), with_nan(np.eye(3), -np.inf)],
      "kind": ["", "TV", "ridge", None, 1, b"tv"]}),
    (PROBLEM.solve, {"x": X, "lam": 0.5, "rule": "fixed", "method": "exact", "tol": 1e-6, "max_iter": 10,
                     "n_jobs": 1, "out": None},
     {"x": BAD_SERIES, "lam": BAD_LAMBDA + [None], "rule": BAD_NAME + ["map"],
      "method": BAD_NAME + ["dual-pgdd", "oista"], "tol": BAD_NUMBER + [-1.0, np.nan, np.inf],
      "max_iter": BAD_COUNT, "n_jobs": BAD_JOBS, "out": BAD_OUT + [X]}),
    (MATRIX.solve, {"x": X, "lam": 0.5, "rule": "fixed", "method": "exact"},
     {"x": BAD_SERIES, "lam": BAD_LAMBDA, "rule": BAD_NAME + ["ut", "lut", "mad", "aic", "bic", "map"],
      "method": BAD_NAME + ["homotopy", "condat-vu"]}),
    (PROBLEM.certify, {"x": X, "u": U, "lam": 0.5, "tol": 1e-6, "n_jobs": 1},
     {"x": BAD_SERIES, "u": BAD_SERIES, "lam": [v for v in BAD_LAMBDA if not isinstance(v, (float, list)) or v != 0.0
                                                and v != [0.5] * (N - 1) + [0.0]] + [None],
      "tol": BAD_NUMBER + [-1.0, np.nan], "n_jobs": BAD_JOBS}),
    (PROBLEM.path, {"x": X[0], "ratios": [0.5, 0.1]},
     {"x": NOT_NUMBERS + [1.0, [], X, X[0, 1:], with_nan(X[0]), with_nan(X[0], np.inf)],
      "ratios": NOT_NUMBERS + [0.5, [0.1, 0.5], [0.5, 0.0], [-0.1], [np.nan], [np.inf], [[0.5]]]}),
    (PROBLEM.solve_vjp, {"x": X, "lam": 0.5, "u": U, "g": G, "n_jobs": 1},
     {"x": BAD_SERIES, "lam": BAD_LAMBDA, "u": BAD_SERIES, "g": BAD_SERIES, "n_jobs": BAD_JOBS}),
    (taut.tv_path, {"x": X[0], "operator": H, "ratios": None, "n_ratios": 5, "least": 0.01},
     {"x": NOT_NUMBERS + [1.0, X, with_nan(X[0])], "operator": NOT_NUMBERS + [1.0, [], with_nan(H)],
      "ratios": [[0.1, 0.5], [0.0], "a", [np.nan]], "n_ratios": BAD_COUNT + [0],
      "least": BAD_NUMBER + NOT_POSITIVE}),
    (taut.lasso_path, {"X": np.eye(8), "y": np.arange(8.0), "eps": 0.01, "n_alphas": 5, "alphas": None},
     {"X": NOT_NUMBERS + [1.0, [1.0], with_nan(np.eye(8))],
      "y": NOT_NUMBERS + [[], np.ones(7), np.ones((8, 1)), with_nan(np.ones(8)), np.zeros(8)],
      "eps": BAD_NUMBER + NOT_POSITIVE, "n_alphas": BAD_COUNT + [0],
      "alphas": [[0.0], [-1.0], [np.nan], "a", 0.5, [[0.5]]]}),
    (taut.prox_tv, {"y": X, "mu": 0.5, "n_jobs": 1, "out": None},
     {"y": NOT_NUMBERS + [1.0, np.zeros((2, 0)), np.zeros((2, 2, 2))],
      "mu": [v for v in BAD_LAMBDA if not (isinstance(v, float) and v == 0.0)
             and not (isinstance(v, list) and 0.0 in v)] + [None],
      "n_jobs": BAD_JOBS, "out": BAD_OUT + [X]}),
    (taut.prox_tv_vjp, {"y": X, "mu": 0.5, "g": G},
     {"y": NOT_NUMBERS + [1.0, X[:, 1:], X[1:]], "mu": [-1.0, np.nan, "1", [0.5]],
      "g": NOT_NUMBERS + [1.0, X[:, 1:], X[1:]]}),
    (taut.clean, {"X": X.T, "t_r": 2.0, "detrend": "cosine:128", "standardize": "zscore", "low_hz": 0.0,
                  "high_hz": 0.0, "confounds": None, "censored": None, "n_jobs": 1},
     {"X": NOT_NUMBERS + [1.0, np.zeros((2, 2, 2)), np.zeros((0, 3))],
      "t_r": BAD_NUMBER + NOT_POSITIVE,
      "detrend": [n for n in BAD_NAME if n is not None] + ["cosine:", "cosine:0", "cosine:-1", "cosine:nan", "cosine:a", "quadratic"],
      "standardize": [n for n in BAD_NAME if n is not None] + ["z", 2],
      "low_hz": BAD_NUMBER + [-1.0, np.nan, np.inf], "high_hz": BAD_NUMBER + [-1.0, np.nan],
      "confounds": [n for n in NOT_NUMBERS if n is not None] + [1.0, [], np.ones(T), np.ones((T - 1, 2)), with_nan(np.ones((T, 2)))],
      "censored": ["a", [], [True], np.zeros(T), np.ones(T, dtype=bool), np.zeros((T, 1), dtype=bool)],
      "n_jobs": BAD_JOBS}),
    (taut.convolve, {"h": H, "u": X.T}, {"h": NOT_NUMBERS + [1.0, [[1.0]]], "u": NOT_NUMBERS + [1.0]}),
    (taut.whitener, {"covariance": np.eye(3), "sensors": ["eeg", "mag", "mag"], "projections": None},
     {"covariance": NOT_NUMBERS + [1.0, [], np.ones((2, 3)), with_nan(np.eye(3)), np.zeros((3, 3)), np.eye(4)],
      "sensors": [["eeg"], ["eeg", "meg", "mag"], "eeg", [1, 2, 3]],
      "projections": [v for v in NOT_NUMBERS if v is not None] + [1.0, [1.0, 1.0, 1.0], np.eye(2), np.eye(3), [[np.nan] * 3]]}),
    (taut.gain, {"forward": np.ones((3, 6)), "w": np.eye(3), "normals": [[0, 0, 1], [0, 1, 0]],
                 "orientation": "loose", "loose": 0.2, "depth": 0.8},
     {"forward": NOT_NUMBERS + [1.0, np.ones(6), np.ones((3, 5)), np.ones((2, 6)), with_nan(np.ones((3, 6))), np.zeros((3, 6))],
      "w": NOT_NUMBERS + [1.0, np.ones((2, 2)), np.ones((4, 3)), with_nan(np.eye(3)), np.ones((0, 3))],
      "normals": NOT_NUMBERS + [1.0, np.eye(3), np.zeros((2, 3)), [[0, 0, 1], [0, np.nan, 1]]],
      "orientation": ["", "LOOSE", None, 1], "loose": BAD_NUMBER + [0.0, -1.0, 1.1, np.nan],
      "depth": BAD_NUMBER + [-1.0, np.nan, np.inf]}),
    (taut.sources, {"G": np.eye(4), "M": np.arange(8.0).reshape(4, 2), "ratio": 0.5, "n_orient": 1, "model": "l21",
                    "tol": 1e-6},
     {"G": NOT_NUMBERS + [1.0, np.ones(4), np.eye(3), with_nan(np.eye(4)), np.ones((4, 0))],
      "M": NOT_NUMBERS + [1.0, np.ones(4), np.ones((3, 2)), np.ones((4, 0)), with_nan(np.ones((4, 2)))],
      "ratio": BAD_NUMBER + NOT_POSITIVE, "n_orient": BAD_COUNT + [0, 2, 3, 4], "model": BAD_NAME,
      "tol": BAD_NUMBER + NOT_POSITIVE}),
    (taut.Network, {"name": "lpgd-taut:step", "n_layers": 2, "problem": PROBLEM},
     {"name": BAD_NAME + ["lpgd-taut:", "lpgd-taut:none", ":", "slista"], "n_layers": BAD_COUNT + [0, 10001],
      "problem": BAD_PROBLEM}),
    (taut.Network.from_bytes, {"data": NETWORK.to_bytes(), "problem": PROBLEM},
     {"data": [None, "text", 1, b"", b"\0" * 7, b"\0" * 8, b"\xff" * 64, NETWORK.to_bytes()[:-1],
               NETWORK.to_bytes() + b"\0", NETWORK.to_bytes()[:200], np.zeros],
      "problem": BAD_PROBLEM + [taut.Problem.filter(H, T + 1), taut.Problem.filter(H[:-1], T), MATRIX]}),
    (NETWORK.apply, {"x": X, "lam": 0.5, "rule": "fixed", "layers": 0, "certify": 0.0, "tol": 1e-6,
                     "n_jobs": 1, "out": None},
     {"x": BAD_SERIES, "lam": BAD_LAMBDA + [None], "rule": BAD_NAME + ["map"], "layers": BAD_COUNT + [3],
      "certify": BAD_NUMBER + [-1.0, np.nan], "tol": BAD_NUMBER + [-1.0, np.nan],
      "n_jobs": BAD_JOBS, "out": BAD_OUT + [X]}),
    (NETWORK.apply_vjp, {"x": X, "lam": 0.5, "g": G, "layers": 0},
     {"x": BAD_SERIES, "lam": BAD_LAMBDA, "g": BAD_SERIES, "layers": BAD_COUNT + [3]}),
    (NETWORK.with_parameters, {"parameters": NETWORK.parameters},
     {"parameters": NOT_NUMBERS + [1.0, [], [1.0], with_nan(NETWORK.parameters), [np.inf, 0.1]]}),
    (NETWORK.train, {"x": X, "lam": 0.5, "targets": None, "schedule": "recursive", "optimiser": "lbfgs",
                     "max_iter": 2, "batch": 0, "seed": 0, "n_jobs": 1},
     {"x": BAD_SERIES + [with_nan(X), np.zeros((0, T))], "lam": BAD_LAMBDA,
      "targets": [v for v in BAD_SERIES if v is not None] + [with_nan(X)], "schedule": BAD_NAME,
      "optimiser": BAD_NAME, "max_iter": BAD_COUNT + [0], "batch": BAD_COUNT, "seed": BAD_COUNT + [2**32],
      "n_jobs": BAD_JOBS}),
]


def told(call, good, name, value):
    """The text of the exception, which must be one of ours; None: there was none."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            call(**dict(good, **{name: value}))
    except taut.TautError as error:
        text = str(error)
        assert 10 < len(text) < 600 and "\n" not in text, text
        assert "expected" in text or "found" in text or ":" in text, text
        return text
    return None


def test_every_bad_argument_has_its_exception():
    count, texts, accepted = 0, set(), []
    for call, good, bad in CALLS:
        call(**good)
        for name, values in bad.items():
            for value in values:
                texts.add(text := told(call, good, name, value))
                count += 1
                if text is None:
                    accepted.append(f"{getattr(call, '__qualname__', call)}({name}={value!r:.60})")
    print(f"# {count} bad calls, {len(texts)} different texts")
    assert not accepted, "no exceptions: " + "; ".join(accepted)
    assert count > 1000


def test_texts_name_what_was_found():
    for kind, says, call, arguments in [
            (taut.UnknownNameError, "did you mean", taut.hrf, ["spmm", 2.0]),
            (taut.UnknownNameError, "found exacct", lambda: PROBLEM.solve(X, 0.5, method="exacct"), []),
            (taut.InvalidValueError, "tr_s: expected seconds above 0, found -2", taut.hrf, ["spm", -2]),
            (taut.InvalidValueError, "lambda: entry 2: expected a number above 0, found -1",
             PROBLEM.solve, [X, [1, 1, -1, 1, 1, 1]]),
            (taut.InvalidValueError, "x: expected 6 series of 40 samples, found 6 of 39",
             PROBLEM.solve, [X[:, 1:], 0.5]),
            (taut.InvalidValueError, "lam: expected 6 numbers, found 2", PROBLEM.solve, [X, [1, 2]]),
            (taut.InvalidTypeError, "x: expected real numbers, found <U8", PROBLEM.solve,
             [X.astype("U8"), 0.5]),
            (taut.NotApplicableError, "rule: ut is for TV", lambda: MATRIX.solve(X, rule="ut"), []),
            (taut.InvalidValueError, "overlap", lambda: PROBLEM.solve(X, 0.5, out=X), [])]:
        raises(kind, says, call, *arguments)


def test_errors_are_those_of_python_too():
    raises(ValueError, "", taut.hrf, "spmm", 2.0)
    raises(TypeError, "", taut.hrf, 3, 2.0)
    assert issubclass(taut.OutOfMemoryError, MemoryError)
    assert issubclass(taut.LibraryNotFoundError, ImportError)
    raises(TypeError, "Problem.filter", taut.Problem)


SMALL = """
import numpy as np, resource, taut
x, h = np.zeros((2, 1000)), taut.hrf("spm", 2.0)
problem = taut.Problem.filter(h, 1000)
problem.solve(x, 0.5)
resource.setrlimit(resource.RLIMIT_AS, (2**30, 2**30))
for call in (lambda: taut.Problem.filter(h, 2**26), lambda: problem.path(x[0], [0.5]) and
             taut.Problem.matrix(np.lib.stride_tricks.as_strided(x, (9000, 9000), (0, 0))),
             lambda: np.zeros(2**28) and None):
    try:
        call()
    except MemoryError as error:
        continue
    raise SystemExit("no MemoryError")
print("ok")
"""


def test_too_much_memory_is_an_exception():
    if cli.SANITIZER != "none":
        raise cli.Skip("the allocator of a sanitizer has other limits")
    done = subprocess.run([sys.executable, "-c", SMALL], capture_output=True, check=False, text=True)
    assert done.stdout == "ok\n", done.stdout + done.stderr
    wide = taut.Problem.filter(H, 200000)
    raises(taut.NotApplicableError, "unknowns", wide.path, np.zeros(200000), [0.5])


def test_closed_handles_are_refused():
    problem = taut.Problem.filter(H, T)
    network = taut.Network("lpgd-taut:step", 2, problem)
    problem.close()
    problem.close()
    for call in (lambda: problem.solve(X, 0.5), lambda: problem.path(X[0], [0.5]),
                 lambda: problem.certify(X, U, 0.5), lambda: problem.solve_vjp(X, 0.5, U, G),
                 lambda: taut.Network("lpgd-taut:step", 2, problem), lambda: taut.tv_path(X[0], problem),
                 lambda: taut.Network.from_bytes(NETWORK.to_bytes(), problem)):
        raises(taut.InvalidValueError, "problem: expected an open one", call)
    assert network.apply(X, 0.5).u.shape == (N, T)  # it keeps what it borrows
    network.close()
    for call in (lambda: network.apply(X, 0.5), lambda: network.apply_vjp(X, 0.5, G),
                 lambda: network.train(X, 0.5), lambda: network.parameters, network.to_bytes,
                 lambda: network.with_parameters([1.0, 1.0]), lambda: network.save("n")):
        raises(taut.InvalidValueError, "network: expected an open one", call)
    assert "closed" in repr(network)


def test_a_failed_save_leaves_nothing():
    pathlib.Path("dir").mkdir()
    raises(OSError, "", NETWORK.save, "dir")
    raises(OSError, "", NETWORK.save, "absent/net")
    cli.has_no_temporaries(".")


cli.run(globals())
