# SPDX-License-Identifier: BSD-3-Clause
"""The delay of the response, learnt through the exact solver on a parcel of 50 voxels whose stimuli
are known. Writes learn_delay.png where matplotlib is there.
"""
import numpy as np
import torch

import taut
import taut.torch as tt

T_R, TRUE_DELAY_S, DECIBEL = 1.0, 0.8, 5.0

rng = np.random.default_rng(7)
u = np.zeros((200, 50))  # time x voxels: each voxel follows stimuli of its own
for voxel in u.T:
    for begin in range(5, 180, 30):
        voxel[begin + rng.integers(0, 10):begin + rng.integers(12, 20)] = 1.0
h = tt.delayed_response(torch.tensor(TRUE_DELAY_S, dtype=torch.float64), t_r=T_R).numpy()
signal = taut.convolve(h, u)
noise = rng.standard_normal(signal.shape)
noise *= np.sqrt(signal.var() / noise.var() / 10 ** (DECIBEL / 10))
x, u = torch.as_tensor((signal + noise).T.copy()), torch.as_tensor(u.T.copy())

delay_s = torch.zeros((), dtype=torch.float64, requires_grad=True)
optimiser = torch.optim.Rprop([delay_s], lr=0.3)
trace = []
for _ in range(30):
    optimiser.zero_grad()
    response = tt.delayed_response(delay_s, t_r=T_R)
    lam = 0.05 * tt.lambda_max(x, response).detach()
    loss = (tt.deconvolve(x, lam, response) - u).square().mean()
    loss.backward()
    trace.append((float(delay_s), float(loss)))
    optimiser.step()
print(f"delay {TRUE_DELAY_S} s, learnt {float(delay_s):.3f} s")

try:
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot as plt
except ImportError:
    raise SystemExit("matplotlib is absent: no figure") from None
figure, (left, right) = plt.subplots(1, 2, figsize=(8, 3.2), layout="constrained")
left.plot([d for d, _ in trace], label="learnt")
left.axhline(TRUE_DELAY_S, color="k", lw=0.7, label="true")
left.set(xlabel="step", ylabel="delay, s")
left.legend()
right.plot(T_R * np.arange(len(h)), h, "k", label="true")
right.plot(T_R * np.arange(len(h)), tt.delayed_response(delay_s, t_r=T_R).detach(), "--",
           label="learnt")
right.plot(T_R * np.arange(len(taut.hrf("spm", T_R))), taut.hrf("spm", T_R), lw=0.7, label="begun with")
right.set(xlabel="s", title="response")
right.legend()
figure.savefig("learn_delay.png", dpi=120)
