# SPDX-License-Identifier: BSD-3-Clause
"""Sparse sources from Python: golden arrays, and taut.mixed_norm beside MNE-Python's.

    python_sources.py TAUT
"""
import json
import os
import pathlib
import sys
import warnings

import cli
import pycase
from pycase import np, raises, taut

DATA = pathlib.Path(os.environ.get("TAUT_DATA", "absent"))
GOLDEN = DATA / "golden_meeg"
LOOSE = {"fixed": 0.0, "free": 1.0, "loose": 0.2}


def need_golden():
    if not GOLDEN.exists():
        raise cli.Skip(f"{GOLDEN} is absent")


def objects():
    """MNE, its mixed_norm, and an average with forward solution and noise covariance."""
    if not GOLDEN.exists():
        raise cli.Skip(f"{GOLDEN} is absent")
    mne = pycase.need("mne")
    mne.set_log_level("ERROR")
    warnings.simplefilter("ignore")
    evoked = mne.read_evokeds(DATA / "meeg" / "sample-ave.fif", "Left Auditory", baseline=(None, 0))
    evoked.info["bads"] = ["MEG 2443", "EEG 053"]
    evoked.crop(0.04, 0.18)
    return (mne, pycase.need("mne.inverse_sparse").mixed_norm, evoked,
            mne.read_forward_solution(DATA / "meeg" / "sample-small-meg-eeg-fwd.fif"),
            mne.read_cov(DATA / "meeg" / "sample-cov.fif"))


def same(ours, theirs, tol):
    assert type(ours) is type(theirs), (type(ours), type(theirs))
    for p, q in zip(ours.vertices, theirs.vertices):
        assert np.array_equal(p, q), (ours, theirs)
    assert np.allclose(ours.times, theirs.times, atol=1e-12) and ours.subject == theirs.subject
    worst = abs(ours.data - theirs.data).max() / abs(theirs.data).max()
    assert worst <= tol, worst
    return worst


def test_golden_problems_have_their_solutions():
    need_golden()
    M = np.load(GOLDEN / "data_whitened.npy")
    for name, tol in (("fixed", 1e-8), ("loose", 5e-5), ("free", 2e-4)):  # to what they were solved
        folder, n_orient = GOLDEN / f"small_{name}", 1 if name == "fixed" else 3
        G = np.load(folder / "gain_whitened.npy")
        for percent in (70, 50, 30):
            found = taut.sources(G, M, percent / 100, n_orient=n_orient, tol=1e-12)
            x = np.load(folder / f"l21_{percent}_X.npy")
            columns = np.load(folder / f"l21_{percent}_idx.npy")
            assert found.positions.tolist() == sorted(set((columns // n_orient).tolist()))
            assert abs(found.x.reshape(x.shape) - x).max() <= tol * abs(x).max(), (name, percent)
            assert found.gap <= 1e-12 and found.converged and found.bias is None
            debiased = taut.sources(G, M, percent / 100, n_orient=n_orient, tol=1e-12, debias=True)
            assert np.allclose(debiased.x, found.x * debiased.bias[:, None, None])
            assert (debiased.bias >= 1.0).all()
    assert abs(found.alpha_max - json.loads((GOLDEN / "golden.json").read_text())["small_free"]["alpha_max"]) < 1e-9


def test_nine_cases_are_those_of_mne():
    _, theirs, evoked, forward, noise = objects()
    for name, loose in LOOSE.items():
        for alpha in (70, 50, 30):
            options = {"alpha": alpha, "loose": loose, "depth": 0.8, "debias": False}
            worst = same(taut.mixed_norm(evoked, forward, noise, tol=1e-13, **options),
                         theirs(evoked, forward, noise, tol=1e-14 if loose == 0 else 1e-10,
                                maxit=50000, dgap_freq=50, **options), 1e-6)
            print(f"# {name} {alpha}: {worst:.1e}")


def test_defaults_are_good_to_a_millionth():
    _, theirs, evoked, forward, noise = objects()
    same(taut.mixed_norm(evoked, forward, noise, loose=0),
         theirs(evoked, forward, noise, alpha=50, loose=0, tol=1e-14), 1e-5)  # debias of MNE: 1e-6


def test_vectors_residuals_and_lists():
    _, theirs, evoked, forward, noise = objects()
    for loose, pick in ((1.0, "vector"), (0.2, None), (0.0, None)):
        options = {"alpha": 60, "loose": loose, "debias": False, "return_residual": True, "pick_ori": pick}
        ours, left = taut.mixed_norm(evoked, forward, noise, **options)
        expected, rest = theirs(evoked, forward, noise, tol=1e-11, dgap_freq=50, maxit=9999, **options)
        same(ours, expected, 1e-5)
        assert left.ch_names == rest.ch_names
        assert abs(left.data - rest.data).max() < 1e-5 * abs(evoked.copy().pick(left.ch_names).data).max()
    other = evoked.copy()
    other.data = other.data[:, ::-1].copy()
    both = taut.mixed_norm([evoked, other], forward, noise, alpha=60, loose=0)
    assert len(both) == 2 and np.array_equal(both[0].vertices[0], both[1].vertices[0])


def test_forward_solutions_of_any_orientation_give_the_same():
    mne, _, evoked, forward, noise = objects()
    plain = taut.mixed_norm(evoked, forward, noise, alpha=60, loose=0.3)
    turned = mne.convert_forward_solution(forward, surf_ori=True, use_cps=True)
    same(taut.mixed_norm(evoked, turned, noise, alpha=60, loose=0.3), plain, 1e-7)
    same(taut.mixed_norm(evoked, turned, noise, alpha=60, loose=1.0),
         taut.mixed_norm(evoked, forward, noise, alpha=60, loose=1.0), 1e-7)
    fixed = mne.convert_forward_solution(forward, surf_ori=True, force_fixed=True, use_cps=True)
    same(taut.mixed_norm(evoked, fixed, noise, alpha=60),
         taut.mixed_norm(evoked, forward, noise, alpha=60, loose=0), 1e-5)  # MNE rounds the fixed one to single
    raises(ValueError, "forward: expected one of free orientation", taut.mixed_norm, evoked, fixed, noise,
           loose=0.2)


def test_weights_and_reweighting_are_those_of_mne():
    _, theirs, evoked, forward, noise = objects()
    weights = np.random.default_rng(0).uniform(0.2, 1.0, forward["nsource"])
    options = {"alpha": 50, "loose": 0, "debias": False, "weights": weights, "weights_min": 0.4}
    same(taut.mixed_norm(evoked, forward, noise, **options),
         theirs(evoked, forward, noise, tol=1e-14, **options), 1e-6)
    options = {"alpha": 50, "loose": 0, "debias": False, "n_mxne_iter": 10}
    same(taut.mixed_norm(evoked, forward, noise, **options),
         theirs(evoked, forward, noise, tol=1e-12, **options), 1e-3)  # rounds: 10, and all


def test_the_whitener_is_that_of_mne_up_to_a_rotation():
    mne, _, evoked, forward, noise = objects()
    names = taut._sources._channels(evoked.info, forward, noise)
    theirs = mne.cov.compute_whitener(noise, evoked.info, picks=names, pca=True)[0]
    at = [noise.ch_names.index(n) for n in names]
    kinds = {n: k for n, k in zip(evoked.ch_names, evoked.get_channel_types())}
    rows = []
    for projection in evoked.info["projs"]:
        where = {n: i for i, n in enumerate(projection["data"]["col_names"])}
        rows += [[v[where[n]] if n in where else 0.0 for n in names] for v in projection["data"]["data"]]
    ours = taut.whitener(noise.data[np.ix_(at, at)], [kinds[n] for n in names], rows)
    assert ours.shape == theirs.shape
    a, b = ours.T @ ours, theirs.T @ theirs
    scale = np.sqrt(np.outer(np.diag(b), np.diag(b)))
    assert (abs(a - b) / scale).max() < 1e-6


def test_arguments_are_checked():
    _, _, evoked, forward, noise = objects()
    for says, options in [("alpha: expected a number above 0", {"alpha": "sure"}),
                          ("alpha", {"alpha": 0}), ("alpha", {"alpha": 100}), ("alpha", {"alpha": np.nan}),
                          ("loose", {"loose": 2}), ("loose", {"loose": "none"}), ("loose", {"loose": {"surface": 1}}),
                          ("pick_ori", {"pick_ori": "normal"}), ("pick_ori", {"pick_ori": "vector", "loose": 0}),
                          ("depth", {"depth": -1}), ("tol", {"tol": 0}), ("weights", {"weights": np.ones(3)}),
                          ("time_pca", {"time_pca": 0}), ("n_mxne_iter", {"n_mxne_iter": 0}),
                          ("weights", {"weights": np.zeros(forward["nsource"])}),
                          ("return_as_dipoles", {"return_as_dipoles": True})]:
        raises(taut.TautError, says, taut.mixed_norm, evoked, forward, noise, **options)
    assert taut.mixed_norm(evoked, forward, noise, alpha=99, maxit=1, solver="bcd", verbose=False)


def test_without_mne_it_says_so():
    kept = {name: sys.modules.get(name) for name in ("mne",)}
    sys.modules["mne"] = None
    try:
        raises(taut.NotApplicableError, "expected MNE-Python, found none", taut.mixed_norm, None, None, None)
    finally:
        del sys.modules["mne"]
        sys.modules.update({name: module for name, module in kept.items() if module})


cli.run(globals())
