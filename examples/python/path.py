# SPDX-License-Identifier: BSD-3-Clause
"""All solutions of a series, from the constant one on, and where rules for lambda stop. Writes
path.png where matplotlib is there.
"""
import numpy as np

import taut

rng = np.random.default_rng(3)
activity = np.zeros(200)
activity[40:70], activity[110:125], activity[150:180] = 1.0, 1.5, 0.7
h = taut.hrf("spm", 1.0)
x = taut.convolve(h, activity) + 0.2 * rng.standard_normal(200)

path = taut.tv_path(x, h, n_ratios=60, least=0.002)
errors = ((path.u - activity) ** 2).mean(axis=1)
problem = taut.Problem.filter(h, 200)
rules = {rule: problem.solve(x, rule=rule) for rule in ("aic", "bic", "mad", "ut")}
for rule, found in rules.items():
    print(f"{rule}: lambda {found.lambda_[0]:.3f}, {found.n_jumps[0]} jumps, "
          f"mean squared error {((found.u - activity) ** 2).mean():.4f}")
print(f"least along the path: {errors.min():.4f} at {path.lambda_[errors.argmin()]:.3f}")

try:
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot as plt
except ImportError:
    raise SystemExit("matplotlib is absent: no figure") from None
figure, (left, right) = plt.subplots(1, 2, figsize=(9, 3.2), layout="constrained")
left.pcolormesh(np.arange(200), path.lambda_, path.u, cmap="RdBu_r", vmin=-1.6, vmax=1.6)
left.set(yscale="log", xlabel="s", ylabel="lambda", title="activity along the path")
right.loglog(path.lambda_, errors, "k")
for rule, found in rules.items():
    right.plot(found.lambda_, ((found.u - activity) ** 2).mean(), "o", label=rule)
right.set(xlabel="lambda", title="mean squared error")
right.legend()
figure.savefig("path.png", dpi=100)
