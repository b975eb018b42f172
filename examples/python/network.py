# SPDX-License-Identifier: BSD-3-Clause
"""A network of a few learned steps inside PyTorch, trained towards known activity, beside the same
number of plain steps and the exact solution. Writes network.png where matplotlib is there.
"""
import numpy as np
import torch

import taut
import taut.torch as tt

torch.manual_seed(0)
rng = np.random.default_rng(5)
h = taut.hrf("spm", 2.0)


def simulate(n_series, n_time=120):
    u = np.zeros((n_time, n_series))
    for series in u.T:
        begin = rng.integers(5, n_time // 2)
        series[begin:begin + rng.integers(10, 40)] = 1.0
    x = taut.convolve(h, u) + 0.15 * rng.standard_normal(u.shape)
    return torch.as_tensor(x.T.copy()), torch.as_tensor(u.T.copy())


train, test = simulate(100), simulate(100)
problem = taut.Problem.filter(h, 120)
response = torch.as_tensor(h)
rows = []
for n_layers in (1, 2, 3, 5, 8):
    plain = taut.Network("lpgd-taut:step", n_layers, problem)
    layer = tt.Unrolled(plain)
    optimiser = torch.optim.LBFGS(layer.parameters(), max_iter=25, line_search_fn="strong_wolfe")

    def loss_of(data):
        x, u = data
        return (layer(x, 0.05 * tt.lambda_max(x, response)) - u).square().mean()

    def closure():
        optimiser.zero_grad()
        loss = loss_of(train)
        loss.backward()
        return loss

    with torch.no_grad():
        before = float(loss_of(test))
    optimiser.step(closure)
    with torch.no_grad():
        rows.append((n_layers, before, float(loss_of(test))))
    print(f"{n_layers} layers: {rows[-1][1]:.4f} plain, {rows[-1][2]:.4f} learned")
exact = problem.solve(test[0].numpy(), 0.05, rule="ratio").u
exact_error = float((torch.as_tensor(exact) - test[1]).square().mean())
print(f"the exact solution: {exact_error:.4f}")

try:
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot as plt
except ImportError:
    raise SystemExit("matplotlib is absent: no figure") from None
n, before, after = zip(*rows)
figure, axis = plt.subplots(figsize=(5, 3.2), layout="constrained")
axis.plot(n, before, "o-", label="plain steps")
axis.plot(n, after, "s-", label="learned steps")
axis.axhline(exact_error, color="k", lw=0.7, label="exact solution")
axis.set(xlabel="layers", ylabel="mean squared error, new series")
axis.legend()
figure.savefig("network.png", dpi=100)
