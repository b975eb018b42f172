#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""Spikes behind a response: `taut solve lasso --hrf` beside scikit-learn's Lasso on the Toeplitz matrix, in turns.

    bench/spike_peers.py build/app/taut [TOL] [POSITIVE: 0 or 1]

CPU microseconds a series and the largest difference of the objectives, relative; TOL is scikit-learn's (1e-10).
"""
import json
import os
import subprocess
import sys
import tempfile
import time
import warnings

os.environ["OPENBLAS_NUM_THREADS"] = os.environ["OMP_NUM_THREADS"] = "1"
import numpy as np  # noqa: E402
from scipy.linalg import toeplitz  # noqa: E402
from sklearn.linear_model import Lasso  # noqa: E402

TAUT = os.path.abspath(sys.argv[1])
TOL = float(sys.argv[2]) if len(sys.argv) > 2 else 1e-10
POSITIVE = len(sys.argv) > 3 and sys.argv[3] == "1"
N_TIME, N_SERIES, TR_S = 250, 10, 2.0


def series(response):
    """Events of a frame every 10, at 5 dB, standardised."""
    rng = np.random.default_rng(1)
    u = rng.uniform(.5, 1.5, (N_SERIES, N_TIME)) * (rng.random((N_SERIES, N_TIME)) < .1)
    seen = np.array([np.convolve(row, response)[:N_TIME] for row in u])
    x = seen + rng.standard_normal(seen.shape) * seen.std(1, keepdims=True) * 10 ** (-5 / 20)
    return (x - x.mean(1, keepdims=True)) / x.std(1, ddof=1, keepdims=True)


def ours(ratio):
    words = [TAUT, "solve", "lasso", "--hrf", "spm", "--tr", str(TR_S), "--data", "x.npy", "--lambda-ratio", str(ratio),
             "-o", "u.npy", "--json", "-j1", "--force", "-q"] + ["--positive"] * POSITIVE
    done = json.loads(subprocess.run(words, check=True, capture_output=True, text=True).stdout)
    return np.load("u.npy"), done["solve_cpu_seconds"]


def peers(x, matrix, lambdas):
    begin = time.process_time()
    found = [Lasso(alpha=lam / N_TIME, fit_intercept=False, tol=TOL, max_iter=1000000, positive=POSITIVE)
             .fit(matrix, row).coef_ for row, lam in zip(x, lambdas)]
    return np.array(found), time.process_time() - begin


def main():
    warnings.filterwarnings("ignore")
    words = [TAUT, "hrf", "spm", "--tr", str(TR_S), "--json"]
    told = json.loads(subprocess.run(words, check=True, capture_output=True, text=True).stdout)
    response = np.array(told["responses"][0]["samples"])
    matrix = toeplitz(np.r_[response, np.zeros(N_TIME)][:N_TIME], np.zeros(N_TIME))
    x = series(response)
    os.chdir(tempfile.mkdtemp())
    np.save("x.npy", x)
    correlations = x @ matrix
    largest = correlations.max(1) if POSITIVE else np.abs(correlations).max(1)
    for ratio in (.05, .1, .2):
        rounds = [(ours(ratio), peers(x, matrix, ratio * largest)) for _ in range(3)]
        u, v = rounds[0][0][0], rounds[0][1][0]
        a, b = (.5 * ((x - w @ matrix.T) ** 2).sum(1) + ratio * largest * np.abs(w).sum(1) for w in (u, v))
        taut_us, peer_us = (1e6 * np.median([one[i][1] for one in rounds]) / N_SERIES for i in (0, 1))
        print(f"lambda {ratio}: taut {taut_us:.0f} us, scikit-learn {peer_us:.0f} us, {peer_us / taut_us:.0f} times; "
              f"objectives differ by {np.abs((a - b) / b).max():.1e}")


if __name__ == "__main__":
    main()
