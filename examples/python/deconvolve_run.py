# SPDX-License-Identifier: BSD-3-Clause
"""A run of fMRI as an image: simulated, deconvolved, with maps of what was found. Needs nibabel;
writes deconvolve_run.png where matplotlib is there, and report.html.
"""
import nibabel
import numpy as np

import taut

T_R, SHAPE, N_TIME = 2.0, (16, 16, 4), 150
rng = np.random.default_rng(0)
activity = np.zeros((N_TIME, *SHAPE))
for begin in (20, 60, 100):  # a task, for half of the voxels
    activity[begin:begin + 15, :8] = 1.0
noise = rng.standard_normal(activity.shape)
signal = taut.convolve(taut.hrf("spm", T_R), activity.reshape(N_TIME, -1)).reshape(activity.shape)
drift = np.linspace(-1.0, 1.0, N_TIME)[:, None, None, None]
image = nibabel.Nifti1Image(np.moveaxis(100.0 + signal + 0.4 * noise + drift, 0, 3).astype("f4"),
                            np.diag([3.0, 3.0, 3.0, 1.0]))

deconvolver = taut.NiftiDeconvolver(t_r=T_R, rule="ut").fit(image)
print(f"largest gap {deconvolver.gap_.max():.0e}, status {np.bincount(deconvolver.status_)}")
deconvolver.generate_report().save_as_html("report.html")

try:
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot as plt
except ImportError:
    raise SystemExit("matplotlib is absent: no figure") from None
u = deconvolver.coef_img_.get_fdata()
figure, axes = plt.subplots(1, 3, figsize=(10, 3), layout="constrained", width_ratios=(1, 1, 2))
axes[0].imshow(u[:, :, 2].std(axis=2), cmap="magma")
axes[0].set(title="sd of the activity", xticks=[], yticks=[])
axes[1].imshow(deconvolver.n_jumps_img_.get_fdata()[:, :, 2], cmap="viridis")
axes[1].set(title="jumps", xticks=[], yticks=[])
seconds = T_R * np.arange(N_TIME)
for x, name in ((4, "task"), (12, "none")):
    axes[2].step(seconds, u[x, 8, 2], where="post", label=f"a voxel with {name}")
axes[2].step(seconds, activity[:, 4, 8, 2] - 3.0, "k", lw=0.7, where="post", label="truth (shifted)")
axes[2].set(xlabel="s", title="activity")
axes[2].legend(fontsize=7)
figure.savefig("deconvolve_run.png", dpi=100)
