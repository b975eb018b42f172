# SPDX-License-Identifier: BSD-3-Clause
"""Taut inside PyTorch: solutions, and networks, that gradients go through.

The derivative of a solution is that of the minimiser (implicit differentiation), not of the
iterations that found it: exact, and as cheap as the solution. At ties (where a jump is about to
appear) it is one of the two sides.
"""
from __future__ import annotations

from typing import Any, Optional, Union

import numpy as np

try:
    import torch
except ImportError as why:
    raise ImportError("taut.torch: expected PyTorch, found none: install python3-torch or torch") \
        from why

from . import _library as _l
from ._errors import InvalidTypeError, InvalidValueError
from ._functions import hrf as sample_hrf
from ._functions import prox_tv as numpy_prox_tv
from ._functions import prox_tv_vjp
from ._network import Network
from ._problem import Problem

Tensor = torch.Tensor


def _rows(tensor: Tensor, name: str) -> np.ndarray:
    """A tensor as series, n_series x n: the memory itself where it is on the CPU."""
    if not isinstance(tensor, torch.Tensor):
        raise InvalidTypeError(f"{name}: expected a tensor, found {type(tensor).__name__}")
    if tensor.dtype not in (torch.float64, torch.float32):
        raise InvalidTypeError(f"{name}: expected float64 or float32, found {tensor.dtype}")
    if tensor.ndim < 1:
        raise InvalidValueError(f"{name}: expected series, found a number")
    return tensor.detach().cpu().reshape(-1, tensor.shape[-1]).numpy()


def _of(array: np.ndarray, like: Tensor, shape: Any) -> Tensor:
    return torch.as_tensor(array).to(like).reshape(shape)


def _weights(lam: Tensor, x: Tensor) -> Tensor:
    """lambda of each series, whatever its shape that broadcasts to x's."""
    return torch.broadcast_to(lam, x.shape[:-1]).reshape(-1)


class _Solve(torch.autograd.Function):
    """u(x, lambda, operator); lambda: one a series."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, lam: Tensor, operator: Tensor, make: Any,
                n_jobs: Optional[int]) -> Tensor:
        rows, weights = _rows(x, "x"), _rows(lam, "lam").ravel()
        problem = make(operator.detach().cpu().double().numpy(), rows.shape[1])
        found = problem.solve(rows, weights, n_jobs=n_jobs)
        u = _of(found.u, x, (*x.shape[:-1], problem.n_in))
        ctx.save_for_backward(x, lam, operator)
        # In double precision: pieces are constant to the bit.
        ctx.rest = problem, found.u if found.u.dtype == np.float64 else None, n_jobs
        return u

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx: Any, g: Tensor) -> tuple[Optional[Tensor], ...]:
        x, lam, operator = ctx.saved_tensors
        problem, u, n_jobs = ctx.rest
        rows, weights = _rows(x, "x"), _rows(lam, "lam").ravel()
        if u is None:
            u = problem.solve(rows.astype(np.float64), weights, n_jobs=n_jobs).u
        found = problem.solve_vjp(rows, weights, u, _rows(g, "g"), n_jobs=n_jobs)
        d_operator = found.response if found.response is not None else found.matrix
        return (_of(found.x, x, x.shape), _of(found.lambda_, lam, lam.shape),
                _of(d_operator, operator, operator.shape), None, None)


def deconvolve(x: Tensor, lam: Union[Tensor, float], h: Tensor, *, full: bool = False,
               n_jobs: Optional[int] = -1) -> Tensor:
    """The activity of least total variation, differentiable in x, lambda and the response::

        u = argmin  1/2 ||x - h * u||^2 + lambda sum_t |u_{t+1} - u_t|

    Parameters
    ----------
    x : tensor of shape (..., n_time)
    lam : tensor that broadcasts to x.shape[:-1], > 0, or float
        The lambda itself; a fraction of `lambda_max` is ``r * lambda_max(x, h)``.
    h : tensor of shape (n_h,)
    full : bool
        False: as many samples of u as of x. True: n_time - n_h + 1.
    n_jobs : int or None
        Threads, as joblib counts them.

    Returns
    -------
    tensor of shape (..., n_in)

    Examples
    --------
    >>> import torch, taut.torch
    >>> x = torch.tensor([0.0, 0.0, 1.0, 1.0], dtype=torch.float64, requires_grad=True)
    >>> u = taut.torch.deconvolve(x, 0.25, torch.ones(1, dtype=torch.float64))
    >>> u.tolist()
    [0.125, 0.125, 0.875, 0.875]
    >>> u[2].backward(); [round(d, 12) for d in x.grad.tolist()]
    [0.0, 0.0, 0.5, 0.5]
    """
    weights = _weights(torch.as_tensor(lam, dtype=x.dtype, device=x.device), x)
    return _Solve.apply(x, weights, h, lambda a, n: Problem.filter(a, n, full), n_jobs)


def solve(x: Tensor, lam: Union[Tensor, float], a: Tensor, *, kind: str = "tv",
          n_jobs: Optional[int] = -1) -> Tensor:
    """The solution for a matrix, differentiable in x, lambda and the matrix.

    Parameters
    ----------
    x : tensor of shape (..., n_out)
    lam : tensor that broadcasts to x.shape[:-1], > 0, or float
    a : tensor of shape (n_out, n_in)
    kind : "tv" or "lasso"

    Returns
    -------
    tensor of shape (..., n_in)
    """
    weights = _weights(torch.as_tensor(lam, dtype=x.dtype, device=x.device), x)
    return _Solve.apply(x, weights, a, lambda m, n: Problem.matrix(m, kind), n_jobs)


class _Prox(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, y: Tensor, mu: Tensor, n_jobs: Optional[int]) -> Tensor:
        ctx.save_for_backward(y, mu)
        ctx.n_jobs = n_jobs
        return _of(numpy_prox_tv(_rows(y, "y"), _rows(mu, "mu").ravel(), n_jobs=n_jobs), y, y.shape)

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx: Any, g: Tensor) -> tuple[Optional[Tensor], ...]:
        y, mu = ctx.saved_tensors
        dy, dmu = prox_tv_vjp(_rows(y, "y"), _rows(mu, "mu").ravel(), _rows(g, "g"),
                              n_jobs=ctx.n_jobs)
        return _of(dy, y, y.shape), _of(dmu, mu, mu.shape), None


def prox_tv(y: Tensor, mu: Union[Tensor, float], *, n_jobs: Optional[int] = -1) -> Tensor:
    """The prox of total variation, differentiable in y (..., n) and in mu.

    Examples
    --------
    >>> import torch, taut.torch
    >>> taut.torch.prox_tv(torch.tensor([0.0, 4.0]), 1.0)
    tensor([1., 3.])
    """
    return _Prox.apply(y, _weights(torch.as_tensor(mu, dtype=y.dtype, device=y.device), y), n_jobs)


def lambda_max(x: Tensor, h: Tensor, *, full: bool = False) -> Tensor:
    """From there on u is constant: of each series, differentiable in x and h.

    Parameters
    ----------
    x : tensor of shape (..., n_time)
    h : tensor of shape (n_h,)

    Returns
    -------
    tensor of shape (...)
    """
    n, k = x.shape[-1], h.shape[0]
    n_in = n - k + 1 if full else n
    ones = torch.ones(1, 1, n_in, dtype=x.dtype, device=x.device)
    level = torch.nn.functional.conv1d(ones, h.flip(0)[None, None], padding=k - 1)[0, 0, :n]
    rows = x.reshape(-1, n)
    residual = rows - (rows @ level / (level @ level))[:, None] * level
    padded = torch.nn.functional.pad(residual[:, None], (0, k - 1))
    correlated = torch.nn.functional.conv1d(padded, h[None, None])[:, 0, :n_in]
    return correlated.cumsum(-1)[:, :-1].abs().amax(-1).reshape(x.shape[:-1])


def delayed_response(delay_s: Tensor, model: str = "spm", t_r: float = 2.0,
                     longest_s: float = 5.0) -> Tensor:
    """A response that comes later by delay_s seconds, differentiable in that.

    Between samples a sixteenth of t_r apart it is a cubic (Catmull and Rom); at no delay it is
    ``taut.hrf(model, t_r)``, followed by zeros.

    Parameters
    ----------
    delay_s : tensor of shape ()
        In seconds, from -longest_s to longest_s; before its onset the response is 0.
    model : str
    t_r : float
        In seconds.
    longest_s : float
        How much longer than the model the response is made.

    Returns
    -------
    tensor of shape (n_h + ceil(longest_s / t_r),)

    Examples
    --------
    >>> import torch, taut.torch
    >>> h = taut.torch.delayed_response(torch.zeros((), dtype=torch.float64))
    >>> bool(abs(h[:17].numpy() - taut.hrf("spm", 2.0)).max() < 1e-12), h.shape
    (True, torch.Size([20]))
    """
    fine = 16
    coarse = sample_hrf(model, t_r)
    dense = sample_hrf(model, t_r / fine)
    at_samples = dense[::fine][:len(coarse)]
    scale = float(coarse[:len(at_samples)] @ at_samples / (at_samples @ at_samples))
    n = len(coarse) + int(np.ceil(longest_s / t_r))
    table = torch.as_tensor(np.concatenate([np.zeros(2), dense * scale, np.zeros(3)])).to(delay_s)
    place = (torch.arange(n).to(delay_s) - delay_s / t_r) * fine
    place = place.clamp(-1.0, len(dense) + 0.5)
    left = place.detach().floor()
    t, i = place - left, left.long() + 2
    a, b, c, d = (table[(i + k).clamp(0, len(table) - 1)] for k in (-1, 0, 1, 2))
    return b + 0.5 * t * (c - a + t * (2 * a - 5 * b + 4 * c - d + t * (3 * (b - c) + d - a)))


class Deconvolution(torch.nn.Module):
    """A layer: x (..., n_time) to the activity u (..., n_in) that explains it.

    Parameters
    ----------
    h : tensor or array of shape (n_h,)
        The response.
    lam : float
        The fraction of each series' lambda_max ("ratio"), or the lambda itself ("fixed").
    rule : str
        "ratio" or "fixed".
    full : bool
        As for `deconvolve`.
    learn : tuple of str
        What are parameters: "lam" (its logarithm is, so that it stays positive), "h", both or
        none.
    n_jobs : int or None
        Threads, as joblib counts them.

    Examples
    --------
    >>> import torch, taut, taut.torch
    >>> layer = taut.torch.Deconvolution(taut.hrf("spm", 2.0), 0.1, learn=("lam",))
    >>> x = torch.randn(3, 60, dtype=torch.float64)
    >>> layer(x).square().sum().backward()
    >>> layer(x).shape, bool(layer.log_lam.grad < 0)
    (torch.Size([3, 60]), True)
    """

    def __init__(self, h: Any, lam: float = 0.1, *, rule: str = "ratio", full: bool = False,
                 learn: tuple[str, ...] = ("lam",), n_jobs: Optional[int] = -1) -> None:
        super().__init__()
        if rule not in ("ratio", "fixed"):
            raise InvalidValueError(f"rule: expected ratio or fixed, found {_l.shown(rule)}")
        wrong = [name for name in learn if name not in ("lam", "h")]
        if wrong or isinstance(learn, str):
            raise InvalidValueError(f"learn: expected names of lam and h, found {_l.shown(learn)}")
        if not _l.real_of(lam, "lam") > 0.0:
            raise InvalidValueError(f"lam: expected a number above 0, found {lam}")
        self.rule, self.full, self.n_jobs = rule, full, n_jobs
        log_lam = torch.log(torch.as_tensor(float(lam), dtype=torch.float64))
        response = torch.as_tensor(h, dtype=torch.float64).detach().clone()
        for name, key, value in (("log_lam", "lam", log_lam), ("h", "h", response)):
            if key in learn:
                self.register_parameter(name, torch.nn.Parameter(value))
            else:
                self.register_buffer(name, value)

    @property
    def lam(self) -> Tensor:
        """(): what the rule reads, positive."""
        return self.log_lam.exp()

    def forward(self, x: Tensor) -> Tensor:
        h = self.h.to(x)
        lam = self.lam.to(x)
        if self.rule == "ratio":
            lam = lam * lambda_max(x, h, full=self.full)
        return deconvolve(x, lam, h, full=self.full, n_jobs=self.n_jobs)

    def extra_repr(self) -> str:
        return f"n_h={self.h.shape[0]}, lam={float(self.lam):.4g}, rule={self.rule}, full={self.full}"


class _Apply(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, lam: Tensor, values: Tensor, network: Network, layers: int,
                safeguard: bool, n_jobs: Optional[int]) -> Tensor:
        made = network.with_parameters(values.detach().cpu().double().numpy())
        ctx.save_for_backward(x, lam, values)
        ctx.rest = made, layers, safeguard, n_jobs
        u = made.apply(_rows(x, "x"), _rows(lam, "lam").ravel(), layers=layers, safeguard=safeguard,
                       n_jobs=n_jobs).u
        return _of(u, x, (*x.shape[:-1], network.problem.n_in))

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx: Any, g: Tensor) -> tuple[Optional[Tensor], ...]:
        x, lam, values = ctx.saved_tensors
        network, layers, safeguard, n_jobs = ctx.rest
        wants_x, _, wants_values = ctx.needs_input_grad[:3]
        found = network.apply_vjp(_rows(x, "x"), _rows(lam, "lam").ravel(), _rows(g, "g"),
                                  layers=layers, safeguard=safeguard, with_x=wants_x,
                                  with_parameters=wants_values, n_jobs=n_jobs)
        return (_of(found.x, x, x.shape) if wants_x else None,
                _of(found.lambda_, lam, lam.shape),
                _of(found.parameters, values, values.shape) if wants_values else None,
                None, None, None, None)


class Unrolled(torch.nn.Module):
    """A network of Taut as a layer: its numbers are the parameters.

    Parameters
    ----------
    network : Network
        Untrained or trained: "lpgd-taut:step", "slista", ...
    layers : int
        Layers to run; 0: all.
    safeguard : bool
        Steps that would raise the objective are replaced by plain ones.

    Examples
    --------
    >>> import torch, taut, taut.torch
    >>> problem = taut.Problem.filter(taut.hrf("spm", 2.0), 60)
    >>> layer = taut.torch.Unrolled(taut.Network("lpgd-taut:step", 5, problem))
    >>> layer(torch.zeros(4, 60), 0.5).shape, layer.values.shape
    (torch.Size([4, 60]), torch.Size([5]))
    """

    def __init__(self, network: Network, *, layers: int = 0, safeguard: bool = True,
                 n_jobs: Optional[int] = -1) -> None:
        super().__init__()
        if not isinstance(network, Network):
            raise InvalidTypeError("network: expected a taut.Network, found "
                                   f"{type(network).__name__}")
        self._made = network
        self.layers, self.safeguard, self.n_jobs = layers, safeguard, n_jobs
        self.values = torch.nn.Parameter(torch.as_tensor(network.parameters))

    @property
    def network(self) -> Network:
        """A `taut.Network` with the parameters as they are now, to save or to apply."""
        return self._made.with_parameters(self.values.detach().cpu().numpy())

    def forward(self, x: Tensor, lam: Union[Tensor, float]) -> Tensor:
        """u (..., n_in) from x (..., n_out); lam: the lambda itself."""
        weights = _weights(torch.as_tensor(lam, dtype=x.dtype, device=x.device), x)
        return _Apply.apply(x, weights, self.values, self._made, self.layers, self.safeguard,
                            self.n_jobs)


__all__ = ["Deconvolution", "Unrolled", "deconvolve", "delayed_response", "lambda_max", "prox_tv",
           "solve"]
