# SPDX-License-Identifier: BSD-3-Clause
"""taut.Deconvolver beside `taut deconv`, a plain numpy computation and scikit-learn's checks of
estimators; and the examples in the documentation of the package.

    python_estimator.py TAUT
"""
import doctest
import importlib
import os
import pathlib
import pickle
import pkgutil
import subprocess
import sys
import warnings

import cli
import images
import pycase
from cli import succeeds
from pycase import noisy, np, raises, taut


def data(n_time=120, n_voxels=9):
    return noisy(n_voxels, n_time).T + 100.0 + np.linspace(0.0, 1.0, n_time)[:, None]


def test_examples_in_the_documentation_run():
    folder = pathlib.Path(taut.__file__).parent
    attempted = 0
    for _, name, _ in pkgutil.iter_modules([str(folder)]):
        try:
            module = importlib.import_module(f"taut.{name}")
        except ImportError as why:
            print(f"# taut.{name}: {why}")
            continue
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            found = doctest.testmod(module)
        assert found.failed == 0, name
        attempted += found.attempted
    assert attempted > 40, attempted


def test_everything_public_has_a_documentation():
    for name in taut.__all__:
        one = getattr(taut, name)
        assert one.__doc__ and len(one.__doc__) > 20, name
        for inner, value in vars(one).items() if isinstance(one, type) else ():
            if callable(value) and not inner.startswith("_"):
                assert value.__doc__, f"{name}.{inner}"


def test_it_is_what_the_command_finds():
    n_time, n_voxels = 90, 24
    values = np.asarray(images.blocks(n_voxels, n_time), np.float32).reshape(n_time, n_voxels)
    images.write_image("run_bold.nii", (4, 3, 2, n_time), values.ravel().tolist())
    for options, changes in [
            ([], {}),
            (["--detrend", "linear", "--hrf", "glover", "--lambda", "0.02"],
             {"detrend": "linear", "hrf": "glover", "lam": 0.02}),
            (["--standardize", "psc", "--lambda-rule", "ut", "--conv", "full"],
             {"standardize": "psc", "rule": "ut", "conv": "full"}),
            (["--bandpass", "0.01:0.1", "--lambda-rule", "fixed", "--lambda", "0.5"],
             {"low_hz": 0.01, "high_hz": 0.1, "rule": "fixed", "lam": 0.5})]:
        succeeds("deconv", "run_bold.nii", "--mask", "none", "-o", "out", "--force", "-q", *options,
                 "--save", "activity,innovation,fitted")
        deconvolver = taut.Deconvolver(t_r=2.0, **changes).fit(values)
        for name, mine in [("activity", deconvolver.coef_), ("innovation", deconvolver.innovation_),
                           ("fitted", deconvolver.fitted_)]:
            path, = pathlib.Path("out").glob(f"*desc-{name}_bold.nii*")
            _, theirs = images.read_image(path)
            theirs = np.frombuffer(theirs, np.float32).reshape(-1, n_voxels)
            if name == "activity":
                assert (theirs == mine.astype(np.float32)).all(), changes
            assert np.allclose(theirs, mine, atol=1e-5 * abs(mine).max()), (name, changes)
        for name, mine in [("lambda", deconvolver.lambda_), ("status", deconvolver.status_),
                           ("jumps", deconvolver.n_jumps_)]:
            path, = pathlib.Path("out").glob(f"*stat-{name}_boldmap.nii*")
            _, theirs = images.read_image(path)
            assert np.allclose(theirs, mine, rtol=1e-6), (name, changes)


def test_cleaning_is_a_regression_and_a_scale():
    x = data()
    n = len(x)
    t = np.arange(n)[:, None] + 0.5
    basis = np.hstack([np.ones((n, 1)), np.cos(np.pi / n * t * np.arange(1, int(2 * n * 2.0 / 128) + 1))])
    expected = x - basis @ np.linalg.lstsq(basis, x, rcond=None)[0]
    expected /= expected.std(axis=0, ddof=1)
    assert np.allclose(taut.clean(x, 2.0), expected, atol=1e-10)
    confounds = np.random.default_rng(1).standard_normal((n, 3))
    cleaned = taut.clean(x, 2.0, confounds=confounds)
    assert abs(cleaned.T @ taut.clean(confounds, 2.0, standardize=None)).max() < 1e-9
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        taut.clean(x, 2.0, high_hz=5.0)
    assert any("Nyquist" in str(w.message) or "Hz" in str(w.message) for w in said), said


def test_a_solution_is_optimal_by_its_own_conditions():
    deconvolver = taut.Deconvolver(t_r=2.0)
    u = deconvolver.fit_transform(data())
    x = taut.clean(data(), 2.0)
    residual = x - deconvolver.fitted_
    h = deconvolver.hrf_
    correlated = np.array([sum(h[k] * residual[i + k] for k in range(min(len(h), len(x) - i)))
                           for i in range(len(x))])
    dual = np.cumsum(correlated, axis=0)
    scale = deconvolver.lambda_
    assert (abs(dual) <= scale * (1 + 1e-9)).all() and abs(dual[-1]).max() < 1e-8 * scale.max()
    jumps = np.diff(u, axis=0)
    at = abs(jumps) > 1e-9
    assert np.allclose((dual[:-1] + np.sign(jumps) * scale)[at], 0.0, atol=1e-8 * scale.max())
    assert ((abs(jumps) > 1e-12).sum(0) == deconvolver.n_jumps_).all()
    assert (deconvolver.gap_ < 1e-12).all() and (deconvolver.innovation_[0] == 0.0).all()


def test_another_run_is_transformed_and_attributes_stay():
    first, second = data(), data(90)
    deconvolver = taut.Deconvolver(t_r=2.0, lam=0.05).fit(first)
    before = deconvolver.coef_
    assert (deconvolver.transform(second) == taut.Deconvolver(lam=0.05).fit(second).coef_).all()
    assert deconvolver.coef_ is before and (deconvolver.transform(first) == before).all()
    raises(ValueError, "expecting 9 features", deconvolver.transform, second[:, 1:])
    again = pickle.loads(pickle.dumps(deconvolver))
    assert (again.transform(second) == deconvolver.transform(second)).all()


def test_a_lambda_for_each_voxel():
    x, lam = data(), np.geomspace(0.01, 0.5, 9)
    u = taut.Deconvolver(lam=lam).fit_transform(x)
    for v in range(9):
        alone = taut.Deconvolver(lam=lam[v]).fit_transform(x[:, v:v + 1])
        assert (alone[:, 0] == u[:, v]).all()


def test_voxels_that_are_not_finite_say_so():
    x = data()
    x[3, 2] = np.nan
    x[:, 5] = 7.0
    deconvolver = taut.Deconvolver().fit(x)
    assert deconvolver.status_[2] == taut.Status.NONFINITE
    assert deconvolver.status_[5] == taut.Status.CONSTANT
    assert (deconvolver.coef_[:, [2, 5]] == 0.0).all()


def test_parameters_are_those_of_scikit_learn():
    deconvolver = taut.Deconvolver(lam=0.2)
    assert repr(deconvolver) == "Deconvolver(lam=0.2)"
    assert deconvolver.set_params(rule="bic", n_jobs=2) is deconvolver
    assert deconvolver.get_params()["rule"] == "bic" and len(deconvolver.get_params()) == 13
    raises(ValueError, "alpha: expected a parameter of Deconvolver", deconvolver.set_params, alpha=1)
    raises(taut.NotFittedError, "not fitted", deconvolver.transform, data())
    raises(AttributeError, "not fitted", lambda: deconvolver.innovation_)
    for name, value, says in [("conv", "valid", "conv: expected causal or full"), ("hrf", [], "1 sample or more"),
                              ("hrf", "spmm", "did you mean"), ("lam", -1, "lambda: entry 0"),
                              ("lam", [1.0], "lam: expected 9 numbers"), ("t_r", 0, "seconds above 0"),
                              ("detrend", "cubic", "detrend"), ("n_jobs", 0, "n_jobs")]:
        raises(ValueError, says, taut.Deconvolver(**{name: value}).fit, data())


def test_checks_of_scikit_learn_pass():
    checks = pycase.need("sklearn.utils.estimator_checks")
    skip = pycase.need("sklearn.exceptions").SkipTestWarning
    base = pycase.need("unittest").SkipTest
    passed, excepted = 0, []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", skip)
        for estimator, check in checks.check_estimator(taut.Deconvolver(n_jobs=1), generate_only=True):
            try:
                check(estimator)
                passed += 1
            except base:
                excepted.append(getattr(check, "func", check).__name__)
    assert excepted == ["check_methods_sample_order_invariance", "check_methods_subset_invariance"]
    assert passed >= 25, passed


def test_it_stands_in_a_pipeline():
    pipeline = pycase.need("sklearn.pipeline")
    decomposition = pycase.need("sklearn.decomposition")
    made = pipeline.make_pipeline(taut.Deconvolver(t_r=2.0), decomposition.PCA(2))
    assert made.fit_transform(data()).shape == (120, 2)


def test_the_library_is_found_or_said_to_be_absent():
    script = "import taut; print(taut.hrf('spm', 2.0).shape)"

    def run(**environment):
        clean = {k: v for k, v in os.environ.items() if k != "TAUT_LIBRARY"}
        return subprocess.run([sys.executable, "-c", script], capture_output=True, check=False,
                              text=True, env=dict(clean, **environment))

    assert run(TAUT_LIBRARY=os.environ["TAUT_LIBRARY"]).stdout == "(17,)\n"
    absent = run(TAUT_LIBRARY="/absent/libtaut.so")
    assert "/absent/libtaut.so: no such file" in absent.stderr and absent.returncode == 1
    wrong = run(TAUT_LIBRARY="libc.so.6")
    assert "expected libtaut" in wrong.stderr, wrong.stderr


cli.run(globals())
