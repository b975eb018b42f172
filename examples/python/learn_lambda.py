# SPDX-License-Identifier: BSD-3-Clause
"""The weight of the total variation, learnt through the exact solver from series whose activity is
known; beside it, a search. Writes learn_lambda.png where matplotlib is there.
"""
import numpy as np
import torch

import taut
import taut.torch as tt


def simulate(n_series, n_time, h, decibel, seed):
    """Blocks of activity seen through h, with noise: (x, u), n_series x n_time."""
    rng = np.random.default_rng(seed)
    u = np.zeros((n_series, n_time))
    for series in u:
        for begin in range(5, n_time - 20, 30):
            series[begin + rng.integers(0, 10):begin + rng.integers(12, 20)] = 1.0
    signal = taut.convolve(h, u.T).T
    noise = rng.standard_normal(signal.shape)
    noise *= np.sqrt(signal.var() / noise.var() / 10 ** (decibel / 10))
    return torch.as_tensor(signal + noise), torch.as_tensor(u)


def loss_of(layer, x, u):
    return (layer(x) - u).square().mean()


h = taut.hrf("spm", t_r=2.0)
x, u = simulate(40, 150, h, decibel=5.0, seed=0)
layer = tt.Deconvolution(h, lam=0.5)
optimiser = torch.optim.Rprop(layer.parameters(), lr=0.2)
trace = []
for _ in range(40):
    optimiser.zero_grad()
    loss = loss_of(layer, x, u)
    loss.backward()
    trace.append((float(layer.lam), float(loss)))
    optimiser.step()

ratios = np.geomspace(0.01, 0.5, 40)
losses = [float(loss_of(tt.Deconvolution(h, r, learn=()), x, u)) for r in ratios]
print(f"learnt {trace[-1][0]:.4f} lambda_max, loss {trace[-1][1]:.5f}")
print(f"searched {ratios[np.argmin(losses)]:.4f}, loss {min(losses):.5f}")

try:
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot as plt
except ImportError:
    raise SystemExit("matplotlib is absent: no figure") from None
figure, axis = plt.subplots(figsize=(6, 3.5), layout="constrained")
axis.semilogx(ratios, losses, label="searched")
axis.semilogx(*zip(*trace), "o-", ms=3, lw=0.7, label="steps through the solver")
axis.set(xlabel="lambda / lambda_max", ylabel="mean squared error of the activity")
axis.legend()
figure.savefig("learn_lambda.png", dpi=120)
