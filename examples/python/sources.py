# SPDX-License-Identifier: BSD-3-Clause
"""Sparse sources of an average, beside those of MNE-Python, which it needs:

    sources.py EVOKED.fif CONDITION FORWARD.fif COVARIANCE.fif

Writes sources.png where matplotlib is there.
"""
import sys
import time

import mne
import numpy as np
from mne.inverse_sparse import mixed_norm

import taut

if len(sys.argv) != 5:
    raise SystemExit(__doc__)
mne.set_log_level("ERROR")
evoked = mne.read_evokeds(sys.argv[1], sys.argv[2], baseline=(None, 0)).crop(0.04, 0.18)
forward, noise_cov = mne.read_forward_solution(sys.argv[3]), mne.read_cov(sys.argv[4])

options = {"alpha": 50, "loose": 0.2, "depth": 0.8}
results = {}
for name, function, tol in (("taut", taut.mixed_norm, 1e-9), ("MNE-Python", mixed_norm, 1e-9)):
    begin = time.perf_counter()
    stc = function(evoked, forward, noise_cov, tol=tol, **options)
    results[name] = stc
    print(f"{name}: {sum(map(len, stc.vertices))} sources, at most {1e9 * abs(stc.data).max():.2f} "
          f"nA m, {time.perf_counter() - begin:.2f} s")

try:
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot as plt
except ImportError:
    raise SystemExit("matplotlib is absent: no figure") from None
figure, axes = plt.subplots(1, 2, figsize=(10, 4), layout="constrained", sharey=True)
for axis, (name, stc) in zip(axes, results.items()):
    axis.plot(1e3 * stc.times, 1e9 * stc.data.T, lw=0.9)
    axis.set(title=name, xlabel="ms", ylabel="nA m")
figure.savefig("sources.png", dpi=60)
np.testing.assert_array_equal(results["taut"].vertices[0], results["MNE-Python"].vertices[0])
