# SPDX-License-Identifier: BSD-3-Clause
"""Mean series of parcels, in a pipeline of scikit-learn. Needs nibabel and scikit-learn; writes
parcels.png where matplotlib is there.
"""
import nibabel
import numpy as np
from sklearn.decomposition import PCA
from sklearn.pipeline import make_pipeline

import taut

T_R, N_TIME = 1.0, 240
rng = np.random.default_rng(1)
labels = np.repeat(np.arange(1, 7), 20).reshape(6, 5, 4).astype("i2")  # six parcels of 20 voxels
activity = np.zeros((N_TIME, 7))
for parcel in range(1, 7):  # three parcels in step, three in opposition
    for begin in range(10 if parcel % 2 else 30, N_TIME - 20, 40):
        activity[begin:begin + 18, parcel] = 1.0
signal = taut.convolve(taut.hrf("spm", T_R), activity)[:, labels]
run = nibabel.Nifti1Image(
    np.moveaxis(signal + rng.standard_normal(signal.shape), 0, 3).astype("f4"), np.eye(4))

found = taut.NiftiDeconvolver(labels_img=nibabel.Nifti1Image(labels, np.eye(4)), t_r=T_R,
                              lam=0.05).fit(run)
means = np.stack([run.get_fdata()[labels == label].mean(axis=0) for label in found.labels_], axis=1)
components = make_pipeline(taut.Deconvolver(t_r=T_R, lam=0.05), PCA(2)).fit_transform(means)
print(f"{len(found.labels_)} parcels, largest gap {found.gap_.max():.0e}; "
      f"correlations of 1 with 2, 3: {np.corrcoef(found.coef_.T)[0, 1:3].round(2)}")

try:
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot as plt
except ImportError:
    raise SystemExit("matplotlib is absent: no figure") from None
figure, (left, right) = plt.subplots(1, 2, figsize=(9, 3.2), layout="constrained")
for i, u in enumerate(found.coef_.T):
    left.step(T_R * np.arange(N_TIME), u - 4 * i, where="post", lw=0.9)
left.set(xlabel="s", yticks=[], title="activity of six parcels")
right.plot(components[:, 0], components[:, 1], ".", ms=3)
right.set(xlabel="component 1", ylabel="component 2", title="its states")
figure.savefig("parcels.png", dpi=100)
