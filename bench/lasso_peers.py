#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""The Lasso on a Gaussian 64 x 256 dictionary, lambda 0.1: bench_lasso beside scikit-learn.

    OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 lasso_peers.py build/bench/bench_lasso [ROUNDS]

Turn by turn on the same data: the exact method on 10,000 targets (to rounding, certified), and
scikit-learn's coordinate descent on a shared Gram matrix, on the first 200 targets, to a relative
gap of 1e-6. CPU time a target; the median ratio of the rounds.
"""
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time
import warnings

import numpy as np
from sklearn.linear_model import Lasso

N, M, TARGETS, PEER_TARGETS, RATIO = 64, 256, 10000, 200, 0.1


def ours(program, folder):
    done = subprocess.run([program, folder / "D", folder / "X", str(N), str(M), str(RATIO), "1",
                           "exact"], check=True, capture_output=True, text=True)
    fields = done.stdout.splitlines()[-1].split()
    return float(fields[3]), float(fields[5])


def peer(dictionary, targets):
    gram = dictionary.T @ dictionary
    begin = time.process_time()
    gap = 0.0
    for x in targets:
        model = Lasso(alpha=RATIO * np.abs(dictionary.T @ x).max() / N, precompute=gram, tol=5e-7,
                      max_iter=100000, fit_intercept=False)
        model.fit(dictionary, x, check_input=False)
        gap = max(gap, model.dual_gap_ * N / (0.5 * x @ x))
    return 1e6 * (time.process_time() - begin) / len(targets), gap


def main():
    warnings.filterwarnings("ignore")
    rng = np.random.default_rng(0)
    dictionary = rng.standard_normal((N, M))
    dictionary = np.asfortranarray(dictionary / np.linalg.norm(dictionary, axis=0))
    targets = rng.standard_normal((TARGETS, N))
    ratios = []
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        np.ascontiguousarray(dictionary).tofile(folder / "D")
        targets.tofile(folder / "X")
        for _ in range(int(sys.argv[2]) if len(sys.argv) > 2 else 5):
            own_us, own_gap = ours(sys.argv[1], folder)
            peer_us, peer_gap = peer(dictionary, targets[:PEER_TARGETS])
            ratios.append(peer_us / own_us)
            print(f"exact {own_us:7.1f} us, gap {own_gap:.0e}   scikit-learn {peer_us:8.1f} us, "
                  f"gap {peer_gap:.0e}   ratio {ratios[-1]:6.1f}")
    print(f"median ratio {statistics.median(ratios):.1f}")


if __name__ == "__main__":
    main()
