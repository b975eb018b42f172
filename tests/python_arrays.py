# SPDX-License-Identifier: BSD-3-Clause
"""Arrays in and out of the Python package: the bytes of the command, for any layout and any number
of threads; derivatives; interruption.

    python_arrays.py TAUT
"""
import _thread
import pathlib
import pickle
import signal
import subprocess
import sys
import threading
import time

import cli
import pycase
from cli import succeeds
from pycase import noisy, np, raises, taut

H = taut.hrf("spm", 2.0)


def command(x, *options):
    np.save("x.npy", x)
    succeeds("solve", *options, "--data", "x.npy", "-o", "u.npy", "--force", "-q")
    return np.load("u.npy")


def test_the_command_gives_the_same_bytes():
    x = noisy(203, 150)
    problem = taut.Problem.filter(H, 150)
    for ratio in (0.5, 0.1, 0.01):
        theirs = command(x, "tv", "--hrf", "spm", "--tr", "2", "--lambda-ratio", str(ratio))
        ours = problem.solve(x, ratio, rule="ratio")
        assert theirs.tobytes() == ours.u.tobytes(), ratio
        assert (ours.status == taut.Status.SOLVED).all() and ours.gap.max() < 1e-12
    for method in ("fista", "homotopy"):
        theirs = command(x, "tv", "--hrf", "spm", "--tr", "2", "--lambda-ratio", "0.1",
                         "--solver", method)
        assert theirs.tobytes() == problem.solve(x, 0.1, rule="ratio",
                                                 method=method).u.tobytes(), method
    for rule in ("ut", "mad", "bic"):
        theirs = command(x, "tv", "--hrf", "spm", "--tr", "2", "--lambda-rule", rule)
        assert theirs.tobytes() == problem.solve(x, rule=rule).u.tobytes(), rule


def test_a_full_convolution_and_matrices_give_the_bytes_of_the_command():
    x = noisy(40, 80)
    theirs = command(x, "tv", "--hrf", "spm", "--tr", "2", "--conv", "full", "--lambda-ratio", "0.1")
    ours = taut.Problem.filter(H, 80, full=True).solve(x, 0.1, rule="ratio")
    assert theirs.tobytes() == ours.u.tobytes()
    a = np.random.default_rng(1).standard_normal((80, 60))
    np.save("a.npy", a)
    for kind in ("tv", "lasso"):
        theirs = command(x, kind, "--operator", "a.npy", "--lambda-ratio", "0.2")
        ours = taut.Problem.matrix(a, kind).solve(x, 0.2, rule="ratio")
        assert theirs.tobytes() == ours.u.tobytes(), kind


def test_threads_do_not_change_a_byte():
    x, problem = noisy(301, 120), taut.Problem.filter(H, 120)
    one = problem.solve(x, 0.05, rule="ratio", n_jobs=1)
    for jobs in (2, 4, -1, -2, None):
        found = problem.solve(x, 0.05, rule="ratio", n_jobs=jobs)
        assert found.u.tobytes() == one.u.tobytes(), jobs
        assert found.info.tobytes() == one.info.tobytes(), jobs


def test_eight_callers_at_once_get_the_same_bytes():
    x, problem = noisy(400, 120), taut.Problem.filter(H, 120)
    one = problem.solve(x, 0.05, rule="ratio", n_jobs=1).u.tobytes()
    found, threads = [None] * 8, []

    def solve(i):
        found[i] = [problem.solve(x, 0.05, rule="ratio", n_jobs=1 + i % 3).u.tobytes()
                    for _ in range(4)]

    for i in range(8):
        threads.append(threading.Thread(target=solve, args=(i,)))
        threads[-1].start()
    for thread in threads:
        thread.join()
    assert all(found[i] == [one] * 4 for i in range(8))


def test_any_layout_gives_the_same():
    x, problem = noisy(37, 90), taut.Problem.filter(H, 90)
    expected = problem.solve(x, 0.1, rule="ratio").u
    wide = np.zeros((37, 200))
    wide[:, 5:95] = x
    records = np.zeros((37, 90), dtype=[("a", "i1"), ("x", "f8")])
    records["x"] = x
    frames = np.asfortranarray(x)
    for name, given in {"columns": frames, "slice": wide[:, 5:95], "reversed": x[::-1][::-1],
                        "big-endian": x.astype(">f8"), "list": x.tolist(),
                        "records": records["x"], "object": x.astype(object)}.items():
        assert (problem.solve(given, 0.1, rule="ratio").u == expected).all(), name
    out = np.full((90, 37), np.nan)
    problem.solve(x, 0.1, rule="ratio", out=out.T)
    assert (out.T == expected).all()
    assert (problem.solve(x[3], 0.1, rule="ratio").u == expected[3]).all()
    same = problem.solve(np.broadcast_to(x[3], (5, 90)), 0.1, rule="ratio").u
    assert (same == expected[3]).all()


def test_arrays_are_used_in_place():
    x, problem = noisy(9, 90), taut.Problem.filter(H, 90)
    before, out = x.copy(), np.empty((9, 90))
    found = problem.solve(x, 0.1, rule="ratio", out=out)
    assert found.u is out and (x == before).all()
    x.flags.writeable = False
    problem.solve(x, 0.1, rule="ratio")
    assert taut._problem._l.numbers(x, "x") is x


def test_float32_goes_in_and_out():
    x, problem = noisy(37, 90).astype(np.float32), taut.Problem.filter(H, 90)
    single = problem.solve(x, 0.1, rule="ratio")
    double = problem.solve(x.astype(np.float64), 0.1, rule="ratio")
    assert single.u.dtype == np.float32 and (single.u == double.u.astype(np.float32)).all()
    assert single.info.tobytes() == double.info.tobytes()


def test_a_bad_series_leaves_the_others_as_they_are():
    x, problem = noisy(20, 90), taut.Problem.filter(H, 90)
    expected = problem.solve(x, 0.1, rule="ratio").u
    x[7, 3], x[8] = np.nan, 4.0
    found = problem.solve(x, 0.1, rule="ratio")
    assert found.status[7] == taut.Status.NONFINITE and (found.u[7] == 0.0).all()
    assert found.status[8] == taut.Status.CONSTANT
    assert (np.delete(found.u, [7, 8], 0) == np.delete(expected, [7, 8], 0)).all()


def test_a_certificate_is_that_of_the_solution():
    x, problem = noisy(20, 90), taut.Problem.filter(H, 90)
    found = problem.solve(x, 0.1, rule="ratio")
    again = problem.certify(x, found.u, found.lambda_)
    assert (again["objective"] == found.info["objective"]).all()
    worse = problem.certify(x, found.u + 0.1 * np.sin(np.arange(90)), found.lambda_)
    assert (worse["relative_gap"] > 1e-4).all()
    assert (worse["status"] == taut.Status.INACCURATE).all()
    fitted = taut.convolve(H, found.u.T).T
    objective = (0.5 * ((x - fitted) ** 2).sum(1)
                 + found.lambda_ * abs(np.diff(found.u)).sum(1))
    assert np.allclose(objective, found.info["objective"], rtol=1e-12)


def test_a_path_meets_the_solutions():
    x, problem = noisy(1, 90)[0], taut.Problem.filter(H, 90)
    ratios = [0.7, 0.3, 0.1, 0.02]
    path = taut.tv_path(x, H, ratios)
    for ratio, u in zip(ratios, path.u):
        assert np.allclose(u, problem.solve(x, ratio, rule="ratio").u, atol=1e-9)
    assert taut.tv_path(x, problem).u.shape == (50, 90)


def test_the_lasso_path_is_that_of_scikit_learn():
    linear_model = pycase.need("sklearn.linear_model")
    rng = np.random.default_rng(0)
    a, y = rng.standard_normal((60, 100)), rng.standard_normal(60)
    alphas, coefs, gaps = taut.lasso_path(a, y, n_alphas=30)
    theirs = linear_model.lasso_path(a, y, n_alphas=30, tol=1e-12, max_iter=1000000)
    assert np.allclose(alphas, theirs[0], rtol=1e-12)
    assert abs(coefs - theirs[1]).max() < 1e-6 and coefs.shape == theirs[1].shape
    assert (gaps < 1e-12).all()


def test_prox_and_its_derivative():
    rng = np.random.default_rng(0)
    y, mu, g = rng.standard_normal((5, 40)), rng.uniform(0.1, 1.0, 5), rng.standard_normal((5, 40))
    u = taut.prox_tv(y, mu)
    dual = np.cumsum(y - u, axis=1)
    assert (abs(dual[:, :-1]) <= mu[:, None] + 1e-12).all() and abs(dual[:, -1]).max() < 1e-12
    dy, dmu = taut.prox_tv_vjp(y, mu, g)
    eps = 1e-6
    d = rng.standard_normal(y.shape)
    slope = ((taut.prox_tv(y + eps * d, mu) - taut.prox_tv(y - eps * d, mu)) * g).sum(1) / (2 * eps)
    assert np.allclose(slope, (dy * d).sum(1), atol=1e-7)
    slope = ((taut.prox_tv(y, mu + eps) - taut.prox_tv(y, mu - eps)) * g).sum(1) / (2 * eps)
    assert np.allclose(slope, dmu, atol=1e-7)


def test_derivatives_through_the_solution():
    x = noisy(6, 60)
    g = np.random.default_rng(2).standard_normal((6, 60))
    lam = np.linspace(0.5, 1.0, 6)

    def loss(data, weights, h):
        return (taut.Problem.filter(h, 60).solve(data, weights).u * g).sum()

    problem = taut.Problem.filter(H, 60)
    found = problem.solve_vjp(x, lam, problem.solve(x, lam).u, g)
    assert found.n_undefined == 0 and found.matrix is None
    eps, rng = 1e-6, np.random.default_rng(3)
    d = rng.standard_normal(x.shape)
    slope = (loss(x + eps * d, lam, H) - loss(x - eps * d, lam, H)) / (2 * eps)
    assert abs(slope - (found.x * d).sum()) < 1e-5 * abs(slope)
    d = rng.standard_normal(6)
    slope = (loss(x, lam + eps * d, H) - loss(x, lam - eps * d, H)) / (2 * eps)
    assert abs(slope - found.lambda_ @ d) < 1e-5 * abs(slope)
    d = rng.standard_normal(len(H))
    slope = (loss(x, lam, H + eps * d) - loss(x, lam, H - eps * d)) / (2 * eps)
    assert abs(slope - found.response @ d) < 1e-5 * abs(slope)


def test_derivatives_in_a_matrix():
    rng = np.random.default_rng(4)
    a, x, g = rng.standard_normal((30, 20)), rng.standard_normal((4, 30)), rng.standard_normal((4, 20))
    d, eps = rng.standard_normal(a.shape), 1e-6
    for kind in ("tv", "lasso"):
        problem = taut.Problem.matrix(a, kind)
        solution = problem.solve(x, 0.3, rule="ratio")
        found = problem.solve_vjp(x, solution.lambda_, solution.u, g)
        slopes = [(taut.Problem.matrix(a + s * d, kind).solve(x, solution.lambda_).u * g).sum()
                  for s in (eps, -eps)]
        slope = (slopes[0] - slopes[1]) / (2 * eps)
        assert abs(slope - (found.matrix * d).sum()) < 1e-5 * abs(slope), kind


def test_long_responses_are_solved_with_fftw_or_without():
    h = taut.hrf("spm", 0.1)  # 321 samples: by FFT, where there is one
    u = np.zeros((700, 3))
    u[200:450] = 1.0
    x = taut.convolve(h, u).T + 0.01 * np.random.default_rng(6).standard_normal((3, 700))
    found = taut.Problem.filter(h, 700).solve(x, 0.05, rule="ratio")
    assert (found.status == taut.Status.SOLVED).all() and found.gap.max() < 1e-10
    matrix = np.array([[h[t - i] if 0 <= t - i < len(h) else 0.0 for i in range(700)] for t in range(700)])
    assert abs(found.u - taut.Problem.matrix(matrix).solve(x, 0.05, rule="ratio").u).max() < 1e-6


def test_problems_are_pickled_and_closed():
    x, problem = noisy(3, 90), taut.Problem.filter(H, 90, full=True)
    matrix = taut.Problem.matrix(np.eye(90), "lasso")
    for one in (problem, matrix):
        again = pickle.loads(pickle.dumps(one))
        assert (again.solve(x, 0.1, rule="ratio").u == one.solve(x, 0.1, rule="ratio").u).all()
    with problem:
        pass
    raises(taut.InvalidValueError, "closed", problem.solve, x, 0.1)


def test_a_problem_that_is_closed_lives_until_its_calls_return():
    x = noisy(2000, 150)
    problem = taut.Problem.filter(H, 150)
    expected = problem.solve(x, 0.01, rule="ratio", n_jobs=1).u.tobytes()
    found = []
    worker = threading.Thread(
        target=lambda: found.append(problem.solve(x, 0.01, rule="ratio", n_jobs=1).u.tobytes()))
    worker.start()
    time.sleep(0.01)
    problem.close()
    worker.join()
    assert found == [expected] or found == []  # closed before it began: an exception


LONG = """
import sys, time, signal, numpy as np, taut
rng = np.random.default_rng(0)
x = rng.standard_normal((20000, 250))
problem = taut.Problem.filter(taut.hrf("spm", 0.7), 250)
wide = taut.Problem.matrix(rng.standard_normal((600, 1500)), "lasso")
calls = {
    "exact": lambda: problem.solve(np.tile(x, (5, 1)), 0.001, rule="ratio", method="homotopy"),
    "fista": lambda: problem.solve(x, 0.001, rule="ratio", method="pgd", tol=0.0),
    "path": lambda: [wide.path(rng.standard_normal(600), np.geomspace(1, 1e-6, 9)) for _ in range(99)],
    "train": lambda: taut.Network("lpgd-taut:step", 20, problem).train(x, 1.0, max_iter=10**7),
    "clean": lambda: [taut.clean(x.T, 2.0) for _ in range(999)],
}
try:
    print("begun", flush=True)
    calls[sys.argv[1]]()
    print("ended before it was interrupted")
except KeyboardInterrupt:
    print("interrupted at", time.monotonic(), flush=True)
"""


def test_an_interrupt_stops_long_calls():
    # Measured, it takes up to 0.25 s; this machine may be busy, and the calls take minutes.
    for name in ("exact", "fista", "path", "train", "clean"):
        process = subprocess.Popen([sys.executable, "-c", LONG, name], stdout=subprocess.PIPE,
                                   stderr=subprocess.PIPE, text=True)
        assert process.stdout.readline() == "begun\n", process.stderr.read()
        time.sleep(1.0)
        sent = time.monotonic()
        process.send_signal(signal.SIGINT)
        said = process.stdout.readline()
        process.kill()
        process.wait()
        assert said.startswith("interrupted at"), (name, said, process.stderr.read())
        took = float(said.split()[-1]) - sent
        print(f"# {name}: interrupted after {took:.3f} s")
        assert took < 10.0, (name, took)


def test_after_an_interrupt_everything_works_as_before():
    problem, x = taut.Problem.filter(H, 200), noisy(4000, 200)
    expected = problem.solve(x, 0.1, rule="ratio").u
    for delay in (0.0, 0.005, 0.05):
        timer = threading.Timer(delay, _thread.interrupt_main)
        try:
            timer.start()
            for _ in range(100):
                problem.solve(x, 0.001, rule="ratio")
            raise AssertionError("was not interrupted")
        except KeyboardInterrupt:
            pass
        assert (problem.solve(x, 0.1, rule="ratio").u == expected).all()


def test_networks_go_through_files_of_the_command():
    x = noisy(40, 80)
    np.save("x.npy", x)
    succeeds("train", "lpgd-taut", "--variant", "step-momentum", "--hrf", "spm", "--tr", "2",
             "--data", "x.npy", "--lambda-ratio", "0.1", "--layers", "4", "--max-iter", "80",
             "-o", "net.safetensors", "-q")
    succeeds("apply", "net.safetensors", "--data", "x.npy", "--lambda-ratio", "0.1", "-o", "u.npy",
             "-q")
    problem = taut.Problem.filter(H, 80)
    network = taut.Network.load("net.safetensors", problem)
    assert network.apply(x, 0.1, rule="ratio").u.tobytes() == np.load("u.npy").tobytes()
    network.save("again.safetensors")
    again = taut.Network.load(pathlib.Path("again.safetensors"), problem)
    assert again.parameters.tobytes() == network.parameters.tobytes()
    certified = network.apply(x, 0.1, rule="ratio", certify=1e-9)
    assert certified.gap.max() <= 1e-9
    raises(taut.NotApplicableError, "operator", taut.Network.load, "net.safetensors",
           taut.Problem.filter(H, 81))


def test_networks_have_derivatives():
    x, rng = noisy(5, 50), np.random.default_rng(5)
    problem = taut.Problem.filter(H, 50)
    lam, g = np.full(5, 0.5), rng.standard_normal((5, 50))
    network = taut.Network("lpgd-taut:step", 4, problem)
    found = network.apply_vjp(x, lam, g)
    d, eps = rng.standard_normal(x.shape), 1e-6
    slope = (((network.apply(x + eps * d, lam).u - network.apply(x - eps * d, lam).u) * g).sum()
             / (2 * eps))
    assert abs(slope - (found.x * d).sum()) < 1e-5 * abs(slope)
    d, p = rng.standard_normal(network.parameters.shape), network.parameters
    eps *= p.mean()
    slopes = [(network.with_parameters(p + s * d).apply(x, lam).u * g).sum() for s in (eps, -eps)]
    slope = (slopes[0] - slopes[1]) / (2 * eps)
    assert abs(slope - found.parameters @ d) < 1e-4 * abs(slope), (slope, found.parameters @ d)


cli.run(globals())
