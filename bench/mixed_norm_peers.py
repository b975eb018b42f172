#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""The mixed norm and the Lasso beside MNE-Python and scikit-learn, in one run, on the same arrays.

usage: OPENBLAS_NUM_THREADS=1 bench/mixed_norm_peers.py build/bench/bench_mixed_norm DIR ORIENT
           [--fractions 0.7,0.5,0.3] [--repeat 3] [--lasso 5]

DIR has gain.npy and data.npy (bench_mixed_norm simulate POSITIONS ORIENT DIR, or a whitened and
weighted leadfield of MNE). Programs take turns; CPU seconds, medians. MNE stops at the gap that it
calls 1e-6 of ||M||^2, Taut at half of that, which is the same in its own terms.
"""
import argparse
import json
import statistics
import subprocess
import time
import warnings

import numpy as np


def objective_and_gap(gain, data, x, alpha, n_orient):
    residual = data - gain @ x
    blocks = np.linalg.norm((gain.T @ residual).reshape(-1, n_orient * data.shape[1]), axis=1)
    penalty = np.linalg.norm(x.reshape(-1, n_orient * data.shape[1]), axis=1).sum()
    objective = 0.5 * (residual**2).sum() + alpha * penalty
    scale = min(1.0, alpha / blocks.max())
    dual = scale * (data * residual).sum() - 0.5 * scale**2 * (residual**2).sum()
    return objective, (objective - dual) / (0.5 * (data**2).sum())


def mne_l21(gain, data, n_orient, fraction, tol):
    from mne.inverse_sparse.mxne_optim import mixed_norm_solver

    blocks = np.linalg.norm((gain.T @ data).reshape(-1, n_orient * data.shape[1]), axis=1)
    alpha = fraction * blocks.max()
    start = time.process_time()
    found, active, _ = mixed_norm_solver(data, gain, alpha, maxit=10**5, tol=tol, verbose="error",
                                         active_set_size=10, debias=False, n_orient=n_orient,
                                         dgap_freq=10, solver="auto")
    seconds = time.process_time() - start
    x = np.zeros((gain.shape[1], data.shape[1]))
    x[active] = found
    objective, gap = objective_and_gap(gain, data, x, alpha, n_orient)
    return {"seconds": seconds, "gap": gap, "active": int(active.sum()) // n_orient,
            "objective": objective}


def taut_l21(program, folder, n_orient, fraction, tol):
    run = subprocess.run([program, "l21", folder, str(n_orient), str(fraction), str(tol)],
                         check=True, capture_output=True, text=True)
    return json.loads(run.stdout)


def sklearn_lasso(gain, data, fraction, samples, tol):
    from sklearn.linear_model import Lasso

    n = gain.shape[0]
    start = time.process_time()
    for t in samples:
        alpha = fraction * np.abs(gain.T @ data[:, t]).max() / n
        Lasso(alpha=alpha, fit_intercept=False, tol=tol, max_iter=10**6).fit(gain, data[:, t])
    return (time.process_time() - start) / len(samples)


def compare_l21(arguments, gain, data, fraction):
    tol = arguments.tol
    ours, theirs = [], []
    for _ in range(arguments.repeat):
        ours.append(taut_l21(arguments.program, arguments.folder, arguments.orient, fraction,
                             0.5 * tol))
        theirs.append(mne_l21(gain, data, arguments.orient, fraction, tol))
    a = statistics.median(run["seconds"] for run in ours)
    b = statistics.median(run["seconds"] for run in theirs)
    print(f"l21 {fraction:g}: taut {a:.3f} s (gap {ours[0]['gap']:.1e}, {ours[0]['active']} active), "
          f"mne {b:.3f} s (gap {theirs[0]['gap']:.1e}, {theirs[0]['active']} active): "
          f"{b / a:.1f}x", flush=True)


def compare_lasso(arguments, gain, data, fraction):
    samples = np.linspace(0, data.shape[1] - 1, arguments.lasso).astype(int)
    run = subprocess.run([arguments.program, "lasso", arguments.folder, str(fraction), "1"],
                         check=True, capture_output=True, text=True)
    ours = json.loads(run.stdout)
    theirs = 1e3 * sklearn_lasso(gain, data, fraction, samples, 1e-6)
    print(f"lasso {fraction:g}: taut {ours['cpu_ms_a_sample']:.2f} ms a sample (exact), "
          f"scikit-learn {theirs:.1f} ms: {theirs / ours['cpu_ms_a_sample']:.1f}x", flush=True)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("program")
    parser.add_argument("folder")
    parser.add_argument("orient", type=int)
    parser.add_argument("--fractions", default="0.7,0.5,0.3")
    parser.add_argument("--tol", type=float, default=1e-6)
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--lasso", type=int, default=5, help="samples given to scikit-learn; 0: none")
    arguments = parser.parse_args()
    warnings.filterwarnings("ignore")
    gain = np.load(f"{arguments.folder}/gain.npy")
    data = np.load(f"{arguments.folder}/data.npy")
    for fraction in map(float, arguments.fractions.split(",")):
        compare_l21(arguments, gain, data, fraction)
        if arguments.orient == 1 and arguments.lasso > 0:
            compare_lasso(arguments, gain, data, fraction)


if __name__ == "__main__":
    main()
