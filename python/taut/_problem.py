# SPDX-License-Identifier: BSD-3-Clause
"""Problems, and everything that is asked of them."""
from __future__ import annotations

import ctypes
import enum
from ctypes import byref, c_size_t
from dataclasses import dataclass
from typing import Any, Optional, Union

import numpy as np
from numpy.typing import ArrayLike, NDArray

from . import _library as _l
from ._errors import InvalidValueError, TautError

_KINDS = {"tv": 0, "lasso": 1}


class Status(enum.IntEnum):
    """What became of a series; the numbers of status maps."""

    OUTSIDE = 0
    SOLVED = 1
    CONSTANT = 2
    NONFINITE = 3
    INACCURATE = 4
    SKIPPED = 5


@dataclass(frozen=True)
class Solution:
    """Solutions of series, each with its certificate.

    Attributes
    ----------
    u : ndarray of shape (n_series, n_in), or (n_in,) where one vector was given
        The solutions, in the unit of the data over that of the operator.
    info : structured ndarray of shape (n_series,)
        What is known of each: the fields below, and `objective`, `duality_gap`, `iterations`.
    """

    u: NDArray[Any]
    info: NDArray[Any]

    @property
    def status(self) -> NDArray[np.int32]:
        """(n_series,): a `Status` each."""
        return self.info["status"]

    @property
    def lambda_(self) -> NDArray[np.float64]:
        """(n_series,): the weight that was used."""
        return self.info["lambda"]

    @property
    def lambda_max(self) -> NDArray[np.float64]:
        """(n_series,): from there on the solution is constant (TV) or zero (Lasso)."""
        return self.info["lambda_max"]

    @property
    def gap(self) -> NDArray[np.float64]:
        """(n_series,): the duality gap over the objective of the trivial solution."""
        return self.info["relative_gap"]

    @property
    def n_jumps(self) -> NDArray[np.uint64]:
        """(n_series,): changes of value (TV), entries that are not zero (Lasso)."""
        return self.info["n_jumps"]

    def __repr__(self) -> str:
        counts = ", ".join(f"{n} {Status(code).name.lower()}"
                           for code, n in zip(*np.unique(self.status, return_counts=True)))
        return f"Solution(u: {self.u.shape}, {counts or 'no series'})"


@dataclass(frozen=True)
class Gradient:
    """Derivatives of a loss through the solutions.

    Attributes
    ----------
    x : ndarray like x
    lambda_ : ndarray of shape (n_series,)
    response : ndarray of shape (n_h,), or None
        Summed over the series; of a problem with a response.
    matrix : ndarray of shape (n_out, n_in), or None
        Summed over the series; of a problem with a matrix.
    n_undefined : int
        Series whose solution is not unique or that are not finite; they add 0.
    """

    x: NDArray[np.float64]
    lambda_: NDArray[np.float64]
    response: Optional[NDArray[np.float64]]
    matrix: Optional[NDArray[np.float64]]
    n_undefined: int


class Problem(_l.Closable):
    """A convex problem with an operator A, immutable, for any number of threads at a time.

    TV, the default::

        min_u  1/2 ||x - A u||^2 + lambda sum_i |u_{i+1} - u_i|

    and the Lasso, with ``sum_i |u_i|``. Made by `Problem.filter` and `Problem.matrix`.

    Attributes
    ----------
    n_in, n_out : int
        Samples of u and of x.
    kind : "tv" or "lasso"
    operator : ndarray
        The response (n_h,) or the matrix (n_out, n_in).

    Examples
    --------
    >>> import numpy as np, taut
    >>> problem = taut.Problem.filter(taut.hrf("spm", 2.0), n_time=100)
    >>> u = np.zeros(100); u[20:50] = 1.0
    >>> x = np.convolve(u, problem.operator)[:100]
    >>> found = problem.solve(x, 1e-3, rule="ratio")
    >>> found
    Solution(u: (100,), 1 solved)
    >>> bool(found.gap[0] < 1e-12), bool(abs(found.u - u).max() < 0.1)
    (True, True)
    """

    _kind = "problem"

    def __init__(self) -> None:
        raise TypeError("a problem is made by Problem.filter or Problem.matrix")

    @classmethod
    def _of(cls, kind: str, operator: NDArray[np.float64], handle: _l.Handle,
            made: tuple[Any, ...]) -> Problem:
        self = object.__new__(cls)
        self.kind = kind
        self.operator = operator
        self._made = made
        self._closable = handle
        n_in, n_out = c_size_t(), c_size_t()
        _l.lib.taut_problem_shape(handle.pointer, byref(n_in), byref(n_out))
        self.n_in, self.n_out = n_in.value, n_out.value
        return self

    @classmethod
    def filter(cls, h: ArrayLike, n_time: int, full: bool = False) -> Problem:
        """TV with the convolution with a response, ``(A u)_t = sum_k h_k u_{t-k}``.

        Parameters
        ----------
        h : array of shape (n_h,)
            The response, sampled at the interval of the data; see `taut.hrf`.
        n_time : int
            Samples of x.
        full : bool
            False: as many of u, and nothing before the first. True: ``n_time - n_h + 1`` of u.
        """
        response = _l.vector(h, "h").copy()
        n = _l.count_of(n_time, "n_time")
        error = _l.Error()
        pointer = _l.lib.taut_problem_tv_filter(_l.address(response), len(response), n,
                                                int(bool(full)), error)
        if pointer is None:
            _l.fail(error)
        response.flags.writeable = False
        return cls._of("tv", response, _l.Handle(pointer, _l.lib.taut_problem_free),
                       (cls.filter, response, n, bool(full)))

    @classmethod
    def matrix(cls, a: ArrayLike, kind: str = "tv") -> Problem:
        """TV or the Lasso with a matrix.

        Parameters
        ----------
        a : array of shape (n_out, n_in)
        kind : "tv" or "lasso"
        """
        if kind not in _KINDS:
            raise InvalidValueError(f"kind: expected tv or lasso, found {kind!r}")
        found = _l.numbers(a, "a")
        if found.ndim != 2:
            raise InvalidValueError(f"a: expected a matrix, found an array of shape {found.shape}")
        operator = np.array(found, dtype=np.float64, order="C")
        error = _l.Error()
        pointer = _l.lib.taut_problem_matrix(_KINDS[kind], _l.address(operator),
                                             operator.shape[0], operator.shape[1], error)
        if pointer is None:
            _l.fail(error)
        operator.flags.writeable = False
        return cls._of(kind, operator, _l.Handle(pointer, _l.lib.taut_problem_free),
                       (cls.matrix, operator, kind))

    def __reduce__(self) -> tuple[Any, ...]:
        return self._made[0], self._made[1:]

    def __repr__(self) -> str:
        return (f"<taut.Problem: {self.kind}, {'filter' if self.operator.ndim == 1 else 'matrix'}"
                f" of {self.n_out} x {self.n_in}>")

    @property
    def _cost(self) -> float:
        """Work of a series, roughly, in samples."""
        return self.n_out + self.n_in if self.operator.ndim == 1 else self.n_out * self.n_in

    def solve(self, x: ArrayLike, lam: Optional[ArrayLike] = None, *, rule: str = "fixed",
              method: str = "exact", tol: float = 1e-6, max_iter: int = 100000,
              n_jobs: Optional[int] = -1, out: Optional[NDArray[Any]] = None) -> Solution:
        """Solves every series and certifies it.

        Parameters
        ----------
        x : array of shape (n_series, n_out), or (n_out,)
            Rows are series. float64 and float32 are read in place, whatever their strides.
        lam : float or array of shape (n_series,), > 0
            The lambda (rule "fixed"), or its fraction of each series' lambda_max ("ratio"); None
            where the rule finds it.
        rule : str
            "fixed", "ratio"; for TV also "ut", "lut", "mad", "aic", "bic".
        method : str
            See ``taut.names("tv-methods")``, ``taut.names("lasso-methods")``.
        tol : float
            Relative gap at which iterative methods stop and a series counts as solved.
        max_iter : int
            Of iterative methods.
        n_jobs : int or None
            Threads, as joblib counts them. Results are the same bytes for any number.
        out : array of shape (n_series, n_in)
            Where u goes; None: a new array of the type of x.

        Returns
        -------
        Solution
        """
        handle = self._handle
        data, single = _l.series(x, "x")
        n = data.shape[0]
        given = None if lam is None else _l.vector(lam, "lam", n)
        u = _l.output(out, (n, self.n_in), data)
        info = np.zeros(n, _l.RESULT)
        options = _l.options_of(method, rule, tol, max_iter)
        call = _l.Call(n_jobs, handle, data, u, info, given)
        work = float(n) * self._cost * (1.0 if method == "exact" else 100.0)
        call(work, _l.lib.taut_solve, handle.pointer, options, call.host, _l.view(data),
             _l.address(given), _l.view(u), _l.address(info))
        return Solution(u[0] if single and out is None else u, info)

    def path(self, x: ArrayLike, ratios: ArrayLike) -> Solution:
        """The solutions of one series at falling fractions of its lambda_max, in one walk.

        Parameters
        ----------
        x : array of shape (n_out,)
        ratios : array of shape (n,), > 0, falling

        Returns
        -------
        Solution
            u of shape (n, n_in).
        """
        handle = self._handle
        data, _ = _l.series(x, "x")
        ratio = _l.vector(ratios, "ratios")
        u = _l.room((len(ratio), self.n_in))
        info = np.zeros(len(ratio), _l.RESULT)
        call = _l.Call(1, handle, data, ratio, u, info)
        work = float(self.n_in) ** 2 * self.n_out
        call(work, _l.lib.taut_path, handle.pointer, call.host, _l.view(data),
             _l.address(ratio), _l.view(u), _l.address(info))
        return Solution(u, info)

    def certify(self, x: ArrayLike, u: ArrayLike, lam: ArrayLike, *, tol: float = 1e-6,
                n_jobs: Optional[int] = -1) -> NDArray[Any]:
        """The certificate of any u, by code that no method shares.

        Parameters
        ----------
        x : array of shape (n_series, n_out), or (n_out,)
        u : array of shape (n_series, n_in), or (n_in,)
        lam : float or array of shape (n_series,), >= 0
        tol : float
            Relative gap up to which a series counts as solved.

        Returns
        -------
        structured ndarray of shape (n_series,)
            As `Solution.info`.
        """
        handle = self._handle
        data, _ = _l.series(x, "x")
        point, _ = _l.series(u, "u")
        n = data.shape[0]
        given = _l.vector(lam, "lam", n)
        info = np.zeros(n, _l.RESULT)
        call = _l.Call(n_jobs, handle, data, point, given, info)
        call(float(n) * self._cost, _l.lib.taut_certify, handle.pointer, _l.options_of(tol=tol),
             call.host, _l.view(data), _l.view(point), _l.address(given), _l.address(info))
        return info

    def solve_vjp(self, x: ArrayLike, lam: ArrayLike, u: ArrayLike, g: ArrayLike, *,
                  n_jobs: Optional[int] = -1) -> Gradient:
        """The derivative of a loss through the solution, not through iterations.

        Parameters
        ----------
        x : array of shape (n_series, n_out), or (n_out,)
        lam : float or array of shape (n_series,), > 0
            The lambda itself: `Solution.lambda_`.
        u : array like `Solution.u`
            The solutions, as an exact method gave them.
        g : array like u
            dLoss/du.

        Returns
        -------
        Gradient
        """
        handle = self._handle
        data, single = _l.series(x, "x")
        point, _ = _l.series(u, "u")
        adjoint, _ = _l.series(g, "g")
        n = data.shape[0]
        given = _l.vector(lam, "lam", n)
        dx, dlambda, undefined = _l.room((n, self.n_out)), _l.room((n,)), c_size_t()
        operator = _l.room(self.operator.shape)
        is_filter = operator.ndim == 1
        asked = _l.Vjp(ctypes.sizeof(_l.Vjp), 0, ctypes.pointer(_l.view(data)),
                       _l.address(given), ctypes.pointer(_l.view(point)),
                       ctypes.pointer(_l.view(adjoint)), ctypes.pointer(_l.view(dx)),
                       _l.address(dlambda), _l.address(operator) if is_filter else None,
                       None if is_filter else _l.address(operator), None,
                       ctypes.pointer(undefined))
        call = _l.Call(n_jobs, handle, data, point, adjoint, given, dx, dlambda, operator)
        call(float(n) * self._cost, _l.lib.taut_solve_vjp, handle.pointer, call.host, asked)
        return Gradient(dx[0] if single else dx, dlambda, operator if is_filter else None,
                        None if is_filter else operator, undefined.value)


def as_problem(operator: Union[Problem, ArrayLike], n_time: int, kind: str = "tv") -> Problem:
    """A problem as it is, that of a response (a vector) or of a matrix."""
    if isinstance(operator, Problem):
        return operator
    found = _l.numbers(operator, "operator")
    if found.ndim == 1 and kind == "tv":
        return Problem.filter(found, n_time)
    return Problem.matrix(found, kind)


__all__ = ["Gradient", "Problem", "Solution", "Status", "TautError", "as_problem"]
