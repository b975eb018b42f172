# SPDX-License-Identifier: BSD-3-Clause
"""Unrolled networks: iterative algorithms of a few layers whose numbers are learned."""
from __future__ import annotations

import ctypes
import os
import pathlib
import tempfile
from ctypes import byref, c_size_t, c_void_p
from typing import Any, NamedTuple, Optional, Union

import numpy as np
from numpy.typing import ArrayLike, NDArray

from . import _library as _l
from ._errors import InvalidTypeError, InvalidValueError
from ._problem import Problem, Solution


class NetworkGradient(NamedTuple):
    """Derivatives of a loss through the layers of a network.

    x (of the shape of x), lambda_ (n_series,), parameters (n,) summed over the series, and
    n_undefined, series that are not finite; they add 0.
    """

    x: Optional[NDArray[np.float64]]
    lambda_: NDArray[np.float64]
    parameters: Optional[NDArray[np.float64]]
    n_undefined: int


class Network(_l.Closable):
    """A network for a problem, immutable. Untrained, it is the algorithm that it unrolls.

    Parameters
    ----------
    name : str
        One of ``taut.names("networks")``, such as "lpgd-taut:step" or "slista".
    n_layers : int
    problem : Problem

    Examples
    --------
    >>> import numpy as np, taut
    >>> rng = np.random.default_rng(0)
    >>> problem = taut.Problem.filter(taut.hrf("spm", 2.0), 60)
    >>> X = rng.standard_normal((20, 60))
    >>> lam = 0.1 * problem.solve(X, 0.1, rule="ratio").lambda_max
    >>> untrained = taut.Network("lpgd-taut:step", 3, problem)
    >>> trained = untrained.train(X, lam, max_iter=30)
    >>> loss = [net.apply(X, lam).info["objective"].mean() for net in (untrained, trained)]
    >>> bool(loss[1] < loss[0])
    True
    >>> again = taut.Network.from_bytes(trained.to_bytes(), problem)
    >>> bool((again.apply(X, lam).u == trained.apply(X, lam).u).all())
    True
    """

    _kind = "network"

    def __init__(self, name: str, n_layers: int, problem: Problem) -> None:
        text, layers = _l.text_of(name, "name"), _l.count_of(n_layers, "n_layers")
        error = _l.Error()
        self._take(_l.lib.taut_network_new(text, layers, _problem(problem)._handle.pointer, error),
                   problem, error)

    def _take(self, pointer: Optional[int], problem: Problem, error: _l.Error) -> None:
        if pointer is None:
            _l.fail(error)
        self.problem = problem
        # The network borrows the problem: its handle is freed after the network's.
        self._closable = _l.Handle(
            pointer, _l.lib.taut_network_free, problem._handle)

    @classmethod
    def _of(cls, pointer: Optional[int], problem: Problem, error: _l.Error) -> Network:
        self = object.__new__(cls)
        self._take(pointer, problem, error)
        return self

    @classmethod
    def from_bytes(cls, data: bytes, problem: Problem) -> Network:
        """A network from the bytes of its file (safetensors), made for the same operator."""
        if not isinstance(data, (bytes, bytearray, memoryview)):
            raise InvalidTypeError(f"data: expected bytes, found {type(data).__name__}")
        text, error = bytes(data), _l.Error()
        handle = _problem(problem)._handle
        return cls._of(_l.lib.taut_network_parse(text, len(text), handle.pointer, error), problem,
                       error)

    @classmethod
    def load(cls, path: Union[str, os.PathLike[str]], problem: Problem) -> Network:
        """A network from a file, as `save` and ``taut train`` write it."""
        return cls.from_bytes(pathlib.Path(path).read_bytes(), problem)

    def to_bytes(self) -> bytes:
        """The bytes of its file."""
        handle, error = self._handle, _l.Error()
        memory, n = c_void_p(), c_size_t()
        if _l.lib.taut_network_write(handle.pointer, byref(memory), byref(n), error) != 0:
            _l.fail(error)
        try:
            return ctypes.string_at(memory, n.value)
        finally:
            _l.lib.taut_free(memory)

    def save(self, path: Union[str, os.PathLike[str]]) -> None:
        """Writes its file, whole or not at all."""
        data, target = self.to_bytes(), pathlib.Path(path)
        descriptor, name = tempfile.mkstemp(prefix=".tmp-", dir=target.parent)
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            mask = os.umask(0)
            os.umask(mask)
            os.chmod(name, 0o666 & ~mask)
            os.replace(name, target)
        except BaseException:
            os.unlink(name)
            raise

    def __reduce__(self) -> tuple[Any, ...]:
        return Network.from_bytes, (self.to_bytes(), self.problem)

    def __repr__(self) -> str:
        state = "closed" if self._closable is None else f"{len(self.parameters)} parameters"
        return f"<taut.Network: {state}, for {self.problem!r}>"

    @property
    def parameters(self) -> NDArray[np.float64]:
        """(n,): the learned numbers, layer after layer; a copy."""
        handle = self._handle
        values = _l.room((_l.lib.taut_network_parameters(handle.pointer, None),))
        _l.lib.taut_network_parameters(handle.pointer, _l.address(values))
        return values

    def with_parameters(self, parameters: ArrayLike) -> Network:
        """A copy with other parameters, (n,)."""
        handle, values, error = self._handle, _l.vector(parameters, "parameters"), _l.Error()
        return Network._of(_l.lib.taut_network_with(handle.pointer, _l.address(values),
                                                    len(values), error), self.problem, error)

    def _options(self, rule: str, layers: int, certify: float, safeguard: bool,
                 tol: float = 1e-6) -> _l.Options:
        return _l.Options(ctypes.sizeof(_l.Options), int(bool(safeguard)), b"exact",
                          _l.text_of(rule, "rule"), _l.real_of(tol, "tol"), 0,
                          _l.count_of(layers, "layers"), _l.real_of(certify, "certify"))

    def apply(self, x: ArrayLike, lam: Optional[ArrayLike] = None, *, rule: str = "fixed",
              layers: int = 0, certify: float = 0.0, safeguard: bool = True, tol: float = 1e-6,
              n_jobs: Optional[int] = -1, out: Optional[NDArray[Any]] = None) -> Solution:
        """The network's output, certified.

        Parameters
        ----------
        x : array of shape (n_series, n_out), or (n_out,)
        lam, rule
            As for `Problem.solve`.
        layers : int
            Layers to run; 0: all.
        certify : float
            Relative gap above which a series is solved exactly, from where the network ended; 0:
            none is.
        safeguard : bool
            Steps that would raise the objective are replaced by plain ones.
        n_jobs, out
            As for `Problem.solve`.

        Returns
        -------
        Solution
        """
        handle = self._handle
        data, single = _l.series(x, "x")
        n = data.shape[0]
        given = None if lam is None else _l.vector(lam, "lam", n)
        u = _l.output(out, (n, self.problem.n_in), data)
        info = np.zeros(n, _l.RESULT)
        options = self._options(rule, layers, certify, safeguard, tol)
        call = _l.Call(n_jobs, handle, data, u, info, given)
        call(10.0 * n * self.problem._cost, _l.lib.taut_network_apply, handle.pointer, options,
             call.host, _l.view(data), _l.address(given), _l.view(u),
             _l.address(info))
        return Solution(u[0] if single and out is None else u, info)

    def apply_vjp(self, x: ArrayLike, lam: ArrayLike, g: ArrayLike, *, layers: int = 0,
                  safeguard: bool = True, with_x: bool = True, with_parameters: bool = True,
                  n_jobs: Optional[int] = -1) -> NetworkGradient:
        """The derivative of a loss through all layers.

        Parameters
        ----------
        x : array of shape (n_series, n_out), or (n_out,)
        lam : float or array of shape (n_series,), > 0
        g : array of shape (n_series, n_in), or (n_in,)
            dLoss/du.
        layers, safeguard
            As for `apply`.
        with_x, with_parameters : bool
            Whether these derivatives are wanted.

        Returns
        -------
        NetworkGradient
        """
        handle = self._handle
        data, single = _l.series(x, "x")
        adjoint, _ = _l.series(g, "g")
        n = data.shape[0]
        given, dlambda, undefined = _l.vector(lam, "lam", n), _l.room((n,)), c_size_t()
        dx = _l.room((n, self.problem.n_out)) if with_x else None
        values = _l.room(self.parameters.shape) if with_parameters else None
        asked = _l.Vjp(ctypes.sizeof(_l.Vjp), 0, ctypes.pointer(_l.view(data)),
                       _l.address(given), None, ctypes.pointer(_l.view(adjoint)),
                       None if dx is None else ctypes.pointer(_l.view(dx)), _l.address(dlambda),
                       None, None, _l.address(values),
                       ctypes.pointer(undefined))
        call = _l.Call(n_jobs, handle, data, adjoint, given, dlambda, dx, values)
        call(30.0 * n * self.problem._cost, _l.lib.taut_network_apply_vjp, handle.pointer,
             self._options("fixed", layers, 0.0, safeguard), call.host, asked)
        return NetworkGradient(dx[0] if single and dx is not None else dx, dlambda, values,
                               undefined.value)

    def train(self, x: ArrayLike, lam: ArrayLike, *, targets: Optional[ArrayLike] = None,
              schedule: str = "recursive", optimiser: str = "lbfgs", max_iter: int = 1000,
              batch: int = 0, seed: int = 0, safeguard: bool = True,
              n_jobs: Optional[int] = -1) -> Network:
        """A trained copy: never a greater loss on x than untrained.

        Parameters
        ----------
        x : array of shape (n_series, n_out)
        lam : float or array of shape (n_series,), > 0
            The lambda itself.
        targets : array of shape (n_series, n_in)
            What u shall be; None: the objective is the loss.
        schedule : str
            "recursive" (depth 1, 2, ..., each from the one before), "oneshot", "greedy".
        optimiser : str
            "lbfgs", "adam", "descent".
        max_iter : int
            Gradients of all samples, split over the layers.
        batch : int
            adam: samples a step; 0: all.
        seed : int
            adam: of their order.
        safeguard : bool
            Train it as it is applied.
        n_jobs : int or None
            Threads, as joblib counts them.

        Returns
        -------
        Network
        """
        handle = self._handle
        data, _ = _l.series(x, "x")
        wanted = None if targets is None else _l.series(targets, "targets")[0]
        given = _l.vector(lam, "lam", data.shape[0])
        number = _l.count_of(seed, "seed")
        if number >= 1 << 32:
            raise InvalidValueError(f"seed: expected a number below 2^32, found {number}")
        options = _l.TrainOptions(ctypes.sizeof(_l.TrainOptions), int(bool(safeguard)),
                                  _l.text_of(schedule, "schedule"),
                                  _l.text_of(optimiser, "optimiser"),
                                  _l.count_of(max_iter, "max_iter"), _l.count_of(batch, "batch"),
                                  number, 0,
                                  None if wanted is None else ctypes.pointer(_l.view(wanted)))
        call = _l.Call(n_jobs, handle, data, given, wanted, options)
        pointer = call(float("inf"), _l.lib.taut_train, handle.pointer, options, call.host,
                       _l.view(data), _l.address(given))
        return Network._of(pointer, self.problem, call.error)


def _problem(problem: Any) -> Problem:
    if not isinstance(problem, Problem):
        raise InvalidTypeError(f"problem: expected a taut.Problem, found {type(problem).__name__}")
    return problem
