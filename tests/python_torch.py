# SPDX-License-Identifier: BSD-3-Clause
"""taut.torch: gradients by autograd's own check, layers that learn, and what they learn.

    python_torch.py TAUT
"""
import sys

import cli
import pycase
from pycase import noisy, np, raises, taut

try:
    import torch

    import taut.torch as tt
except ImportError:
    pycase.skip_all("python3-torch is absent")

H = torch.as_tensor(taut.hrf("spm", 2.0))
torch.manual_seed(0)


def series(n_series=3, n_time=40, seed=1):
    return torch.as_tensor(noisy(n_series, n_time, seed)).requires_grad_()


def check(function, *inputs):
    assert torch.autograd.gradcheck(function, inputs, eps=1e-6, atol=1e-6, rtol=1e-6)


def test_gradients_through_the_solution():
    lam = torch.tensor([0.3, 0.5, 0.8], dtype=torch.float64, requires_grad=True)
    h = H.clone().requires_grad_()
    check(tt.deconvolve, series(), lam, h)
    check(lambda x, w, r: tt.deconvolve(x, w, r, full=True), series(), lam, h)
    check(lambda x: tt.deconvolve(x, 0.4, H), series(1)[0].detach().requires_grad_())


def test_gradients_in_a_matrix():
    rng = np.random.default_rng(2)
    a = torch.as_tensor(rng.standard_normal((15, 8))).requires_grad_()
    x = torch.as_tensor(rng.standard_normal((2, 15))).requires_grad_()
    lam = torch.tensor(0.7, dtype=torch.float64, requires_grad=True)
    for kind in ("tv", "lasso"):
        check(lambda *t: tt.solve(*t, kind=kind), x, lam, a)


def test_gradients_of_the_prox():
    y = torch.as_tensor(np.random.default_rng(3).standard_normal((2, 3, 12))).requires_grad_()
    mu = torch.tensor([[0.3], [0.6]], dtype=torch.float64, requires_grad=True)
    check(tt.prox_tv, y, mu)


def test_gradients_of_lambda_max():
    for full in (False, True):
        x, h = series(), H.clone().requires_grad_()
        check(lambda a, b: tt.lambda_max(a, b, full=full), x, h)
        problem = taut.Problem.filter(H, 40, full=full)
        expected = problem.solve(x.detach().numpy(), 0.5, rule="ratio").lambda_max
        assert np.allclose(tt.lambda_max(x, H, full=full).detach(), expected, rtol=1e-12)


def test_gradients_of_a_delay():
    delay = torch.tensor(0.7, dtype=torch.float64, requires_grad=True)
    check(tt.delayed_response, delay)
    h = tt.delayed_response(torch.tensor(2.0, dtype=torch.float64)).detach().numpy()
    assert abs(h[1:18] - taut.hrf("spm", 2.0)).max() < 1e-12 and h[0] == 0.0
    fine = taut.hrf("spm", 0.05)
    for d in (0.35, -1.2):
        h = tt.delayed_response(torch.tensor(d, dtype=torch.float64), t_r=1.0).detach().numpy()
        at = (np.arange(20) - d) / 0.05
        expected = np.interp(at, np.arange(len(fine)), fine, left=0.0) * 20.0
        assert abs(h[:20] - expected).max() < 2e-3 * expected.max(), d


def test_gradients_through_networks():
    problem = taut.Problem.filter(H.numpy(), 40)
    dictionary = taut.Problem.matrix(np.random.default_rng(4).standard_normal((40, 12)), "lasso")
    for name, on in (("lpgd-taut:step", problem), ("slista", dictionary), ("alista", dictionary)):
        layer = tt.Unrolled(taut.Network(name, 3, on), safeguard=False)
        lam = torch.tensor([0.3, 0.4], dtype=torch.float64, requires_grad=True)

        def apply(x, weights, scale):
            return tt._Apply.apply(x, weights, layer.values.detach() * scale, layer._made, 0, False, 1)

        scale = torch.full_like(layer.values, 0.9).requires_grad_()  # numbers of one size
        check(apply, series(2), lam, scale)


def test_the_layer_is_the_deconvolver():
    x = series().detach()
    layer = tt.Deconvolution(H, 0.1, learn=())
    expected = taut.Problem.filter(H.numpy(), 40).solve(x.numpy(), 0.1, rule="ratio").u
    assert np.allclose(layer(x), expected, atol=1e-9) and not list(layer.parameters())
    single = layer(x.float())
    assert single.dtype == torch.float32 and abs(single - torch.as_tensor(expected)).max() < 1e-4
    assert layer(x.reshape(1, 3, 40)).shape == (1, 3, 40) and layer(x[0]).shape == (40,)
    check(tt.Deconvolution(H, 0.2, learn=()), series())
    fixed = tt.Deconvolution(H, 0.5, rule="fixed", learn=("lam", "h"), full=True)
    assert len(list(fixed.parameters())) == 2 and fixed(x).shape == (3, 24)
    again = tt.Deconvolution(H, 0.9, rule="fixed", learn=("lam", "h"), full=True)
    again.load_state_dict(fixed.state_dict())
    assert torch.equal(again(x), fixed(x)) and "lam=0.5" in repr(again)


def test_gradients_reach_float32():
    x = series().detach().float().requires_grad_()
    tt.deconvolve(x, 0.4, H.float()).square().sum().backward()
    y = series().detach().requires_grad_()
    tt.deconvolve(y, 0.4, H).square().sum().backward()
    assert x.grad.dtype == torch.float32 and abs(x.grad - y.grad).max() < 1e-3 * abs(y.grad).max()


def truth(n_series, n_time, h, decibel, seed):
    """(x, u): blocks seen through h with noise so that signal and noise differ by so many dB."""
    rng = np.random.default_rng(seed)
    u = np.zeros((n_series, n_time))
    for v in range(n_series):
        for begin in range(5, n_time - 20, 30):
            u[v, begin + rng.integers(0, 10):begin + rng.integers(12, 20)] = 1.0
    signal = taut.convolve(h, u.T).T
    noise = rng.standard_normal(signal.shape)
    noise *= np.sqrt(signal.var() / noise.var() / 10 ** (decibel / 10))
    return torch.as_tensor(signal + noise), torch.as_tensor(u)


def test_lambda_is_learnt_to_where_a_search_finds_it():
    x, u = truth(40, 150, H.numpy(), 5.0, 0)
    layer = tt.Deconvolution(H, 0.5)
    optimiser = torch.optim.Rprop(layer.parameters(), lr=0.2)
    for _ in range(40):
        optimiser.zero_grad()
        loss = (layer(x) - u).square().mean()
        loss.backward()
        optimiser.step()
    losses = [(r, float((tt.Deconvolution(H, r, learn=())(x) - u).square().mean()))
              for r in np.geomspace(0.005, 0.5, 60)]
    best, least = min(losses, key=lambda pair: pair[1])
    print(f"# learnt {float(layer.lam):.4f}, {float(loss):.6f}; searched {best:.4f}, {least:.6f}")
    assert float(loss) < least * 1.0001 and abs(np.log(float(layer.lam) / best)) < 0.1


def test_a_delay_is_learnt_within_a_tenth_of_a_second():
    t_r = 1.0
    for true in (-0.6, 0.8, 1.7):
        h = tt.delayed_response(torch.tensor(true, dtype=torch.float64), t_r=t_r).numpy()
        x, u = truth(50, 200, h, 5.0, 7)
        delay = torch.zeros((), dtype=torch.float64, requires_grad=True)
        optimiser = torch.optim.Rprop([delay], lr=0.3)
        for _ in range(30):
            optimiser.zero_grad()
            response = tt.delayed_response(delay, t_r=t_r)
            lam = 0.05 * tt.lambda_max(x, response).detach()
            (tt.deconvolve(x, lam, response) - u).square().mean().backward()
            optimiser.step()
        print(f"# delay {true}: learnt {float(delay):.3f}")
        assert abs(float(delay) - true) < 0.1, (true, float(delay))


def test_a_network_learns_in_torch():
    x, u = truth(30, 80, H.numpy(), 5.0, 3)
    problem = taut.Problem.filter(H.numpy(), 80)
    lam = 0.05 * tt.lambda_max(x, H)
    layer = tt.Unrolled(taut.Network("lpgd-taut:step", 2, problem))
    with torch.no_grad():
        before = float((layer(x, lam) - u).square().mean())
    optimiser = torch.optim.LBFGS(layer.parameters(), max_iter=30, line_search_fn="strong_wolfe",
                                  lr=1.0)

    def closure():
        optimiser.zero_grad()
        loss = (layer(x, lam) - u).square().mean()
        loss.backward()
        return loss

    optimiser.step(closure)
    with torch.no_grad():
        after = float((layer(x, lam) - u).square().mean())
        print(f"# loss {before:.5f} before, {after:.5f} after")
        assert after < 0.95 * before
        kept = layer.network.apply(x.numpy(), lam.numpy()).u
        assert np.allclose(kept, layer(x, lam), atol=1e-12)


def test_what_is_wrong_is_said():
    x = series()
    raises(taut.InvalidTypeError, "x: expected a tensor", tt._rows, 1.0, "x")
    raises(taut.InvalidTypeError, "float64 or float32", tt.prox_tv, torch.zeros(3, dtype=torch.int32), 1.0)
    raises(taut.InvalidValueError, "lambda: entry 0", tt.deconvolve, x, -1.0, H)
    raises(taut.InvalidValueError, "rule: expected", tt.Deconvolution, H, rule="bic")
    raises(taut.InvalidValueError, "learn: expected", tt.Deconvolution, H, learn="lam")
    raises(taut.InvalidValueError, "lam: expected", tt.Deconvolution, H, 0.0)
    raises(taut.InvalidTypeError, "network: expected", tt.Unrolled, None)
    assert "torch" not in sys.modules["taut"].__dict__.get("__all__", [])


cli.run(globals())
