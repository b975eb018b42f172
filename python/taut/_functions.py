# SPDX-License-Identifier: BSD-3-Clause
"""Functions on arrays: responses, paths, the prox of TV, cleaning."""
from __future__ import annotations

import ctypes
import warnings
from ctypes import c_size_t
from typing import Any, NamedTuple, Optional, Union

import numpy as np
from numpy.typing import ArrayLike, NDArray

from . import _library as _l
from ._errors import InvalidTypeError, InvalidValueError
from ._problem import Problem, Solution, as_problem


def hrf(model: str = "spm", t_r: float = 2.0) -> NDArray[np.float64]:
    """A haemodynamic response, sampled.

    Parameters
    ----------
    model : str
        One of ``taut.names("hrf")``, with parameters as in "glover:ratio=0.35".
    t_r : float
        Interval between samples, in seconds.

    Returns
    -------
    ndarray of shape (n_h,)
        The response at 0, t_r, 2 t_r, ... seconds.

    Examples
    --------
    >>> import taut
    >>> h = taut.hrf("spm", t_r=2.0)
    >>> h.shape, int(h.argmax()) * 2.0
    ((17,), 6.0)
    """
    name, interval = _l.text_of(model, "model"), _l.real_of(t_r, "t_r")
    n, error = c_size_t(0), _l.Error()
    if _l.lib.taut_hrf(name, interval, None, n, error) != 0:
        _l.fail(error)
    h = _l.room((n.value,))
    if _l.lib.taut_hrf(name, interval, _l.address(h), n, error) != 0:
        _l.fail(error)
    return h


def _falling(least: float, name: str, n: int, n_name: str) -> NDArray[np.float64]:
    """n numbers from 1 to the least, evenly spaced in their logarithm."""
    end, count = _l.real_of(least, name), _l.count_of(n, n_name, 1)
    if not 0.0 < end <= 1.0:
        raise InvalidValueError(f"{name}: expected a number above 0, at most 1, found {end:g}")
    if count > 1000000:
        raise InvalidValueError(f"{n_name}: expected at most 1000000, found {count}")
    return np.geomspace(1.0, end, count)


def tv_path(x: ArrayLike, operator: Union[Problem, ArrayLike],
            ratios: Optional[ArrayLike] = None, *, n_ratios: int = 50,
            least: float = 1e-3) -> Solution:
    """All solutions of a TV problem, from the constant one on, in one exact walk.

    Parameters
    ----------
    x : array of shape (n_out,)
        One series.
    operator : array of shape (n_h,) or (n_out, n_in), or Problem
        A response, or a matrix.
    ratios : array of shape (n,), falling
        Fractions of lambda_max; None: n_ratios of them, evenly spaced in their logarithm, from 1
        to `least`.

    Returns
    -------
    Solution
        u of shape (n, n_in); `Solution.lambda_` has the weights.

    Examples
    --------
    >>> import numpy as np, taut
    >>> x = np.random.default_rng(0).standard_normal(80)
    >>> path = taut.tv_path(x, taut.hrf("spm", 2.0), [0.9, 0.3, 0.1, 0.03])
    >>> path.u.shape, path.n_jumps.tolist(), bool((np.diff(path.info["objective"]) < 0).all())
    ((4, 80), [1, 5, 17, 23], True)
    """
    data, _ = _l.series(x, "x")
    if ratios is None:
        ratios = _falling(least, "least", n_ratios, "n_ratios")
    return as_problem(operator, data.shape[1]).path(data, ratios)


class LassoPath(NamedTuple):
    """As scikit-learn's lasso_path returns them."""

    alphas: NDArray[np.float64]
    coefs: NDArray[np.float64]
    dual_gaps: NDArray[np.float64]


def lasso_path(X: ArrayLike, y: ArrayLike, *, eps: float = 1e-3, n_alphas: int = 100,
               alphas: Optional[ArrayLike] = None) -> LassoPath:
    """The exact Lasso path, with the arguments and the weights of scikit-learn's lasso_path::

        min_w  1 / (2 n_samples) ||y - X w||^2 + alpha sum_i |w_i|

    Parameters
    ----------
    X : array of shape (n_samples, n_features)
    y : array of shape (n_samples,)
    eps : float
        Least alpha over the largest, where `alphas` is None.
    n_alphas : int
        How many, where `alphas` is None.
    alphas : array
        The weights; they are put in falling order.

    Returns
    -------
    alphas : ndarray of shape (n_alphas,)
    coefs : ndarray of shape (n_features, n_alphas)
    dual_gaps : ndarray of shape (n_alphas,)
        Certified, over n_samples.

    Examples
    --------
    >>> import numpy as np, taut
    >>> rng = np.random.default_rng(0)
    >>> X, w = rng.standard_normal((50, 80)), np.zeros(80)
    >>> w[:3] = 1.0, -2.0, 3.0
    >>> alphas, coefs, gaps = taut.lasso_path(X, X @ w, n_alphas=20)
    >>> coefs.shape, bool(gaps.max() < 1e-9), np.flatnonzero(abs(coefs[:, -1]) > 0.5).tolist()
    ((80, 20), True, [0, 1, 2])
    """
    problem = Problem.matrix(X, "lasso")
    target = _l.vector(y, "y", problem.n_out)
    n_samples = float(problem.n_out)
    largest = float(np.abs(problem.operator.T @ target).max())
    if not largest > 0.0:
        raise InvalidValueError("y: expected finite numbers that are not all orthogonal to X")
    if alphas is None:
        ratios = _falling(eps, "eps", n_alphas, "n_alphas")
    else:
        ratios = np.sort(_l.vector(alphas, "alphas"))[::-1] * (n_samples / largest)
    found = problem.path(target, ratios)
    return LassoPath(ratios * (largest / n_samples), found.u.T,
                     found.info["duality_gap"] / n_samples)


def prox_tv(y: ArrayLike, mu: ArrayLike, *, n_jobs: Optional[int] = -1,
            out: Optional[NDArray[Any]] = None) -> NDArray[Any]:
    """The prox of total variation, exactly (taut string), of each series::

        argmin_u  1/2 ||u - y||^2 + mu sum_i |u_{i+1} - u_i|

    Parameters
    ----------
    y : array of shape (n_series, n), or (n,)
    mu : float or array of shape (n_series,), >= 0
    n_jobs : int or None
        Threads, as joblib counts them.
    out : array of the shape of y
        Where the result goes.

    Returns
    -------
    ndarray of the shape of y
        Series that are not finite are NaN.

    Examples
    --------
    >>> import taut
    >>> taut.prox_tv([0.0, 0.0, 3.0, 3.0], 1.0)
    array([0.5, 0.5, 2.5, 2.5])
    """
    data, single = _l.series(y, "y")
    given = _l.vector(mu, "mu", data.shape[0])
    u = _l.output(out, data.shape, data)
    call = _l.Call(n_jobs, data, given, u)
    call(float(data.size), _l.lib.taut_prox_tv, call.host, _l.view(data), _l.address(given),
         _l.view(u))
    return u[0] if single and out is None else u


def prox_tv_vjp(y: ArrayLike, mu: ArrayLike, g: ArrayLike, *, n_jobs: Optional[int] = -1,
                ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The derivative of `prox_tv`.

    Parameters
    ----------
    y, mu
        As for `prox_tv`.
    g : array of the shape of y
        dLoss/du.

    Returns
    -------
    dy : ndarray of the shape of y
        dLoss/dy.
    dmu : ndarray of shape (n_series,)
        dLoss/dmu.

    Examples
    --------
    >>> import taut
    >>> dy, dmu = taut.prox_tv_vjp([0.0, 0.0, 3.0, 3.0], 1.0, [1.0, 0.0, 0.0, 0.0])
    >>> dy, dmu
    (array([0.5, 0.5, 0. , 0. ]), array([0.5]))
    """
    data, single = _l.series(y, "y")
    adjoint, _ = _l.series(g, "g")
    given = _l.vector(mu, "mu", data.shape[0])
    dy, dmu = _l.room(data.shape), _l.room((data.shape[0],))
    call = _l.Call(n_jobs, data, adjoint, given, dy, dmu)
    call(float(data.size), _l.lib.taut_prox_tv_vjp, call.host, _l.view(data), _l.address(given),
         _l.view(adjoint), _l.view(dy), _l.address(dmu))
    return (dy[0] if single else dy), dmu


def detrend_of(detrend: Optional[str]) -> tuple[bytes, float]:
    """"cosine:128" as the library takes it: its name, and the longest period kept, in seconds."""
    if detrend is None:
        detrend = "none"
    text = _l.text_of(detrend, "detrend").decode()
    name, colon, period = text.partition(":")
    if not colon:
        return name.encode(), 128.0
    try:
        return name.encode(), float(period)
    except ValueError:
        raise InvalidValueError("detrend: expected none, constant, linear, cosine or linear+cosine"
                                f", with seconds as in cosine:128, found {detrend:.80}") from None


def clean(X: ArrayLike, t_r: float, *, detrend: Optional[str] = "cosine:128",
          standardize: Union[str, bool, None] = "zscore", low_hz: float = 0.0,
          high_hz: float = 0.0, confounds: Optional[ArrayLike] = None,
          censored: Optional[ArrayLike] = None, n_jobs: Optional[int] = -1) -> NDArray[np.float64]:
    """Cleans series by the steps of nilearn.signal.clean.

    Drifts are taken out, then frequencies outside a band, then confounds that went through the
    same; what is left is scaled.

    Parameters
    ----------
    X : array of shape (n_time, n_voxels), or (n_time,)
        Columns are series, as everywhere in Python's fMRI. It stays as it is.
    t_r : float
        Repetition time, in seconds.
    detrend : str or None
        "none", "constant", "linear", "cosine:128" (seconds: the longest period kept),
        "linear+cosine:128".
    standardize : str or None
        "none", "zscore", or "psc", percent of the mean.
    low_hz, high_hz : float
        Edges of a Butterworth band-pass, in Hz; 0: no such edge.
    confounds : array of shape (n_time, n_confounds)
        What is regressed out.
    censored : array of bool of shape (n_time,)
        True for frames that do not count; they become 0.
    n_jobs : int or None
        Threads, as joblib counts them.

    Returns
    -------
    ndarray of the shape of X
        Series that are not finite stay as they are.

    Examples
    --------
    >>> import numpy as np, taut
    >>> x = np.arange(50.0) + np.sin(np.arange(50.0))
    >>> z = taut.clean(x, 2.0, detrend="linear")
    >>> bool(abs(z.mean()) < 1e-12), round(float(z.std(ddof=1)), 12)
    (True, 1.0)
    """
    data = _l.numbers(X, "X")
    if data.ndim not in (1, 2):
        raise InvalidValueError(f"X: expected time x voxels, found an array of shape {data.shape}")
    rows = np.array(np.atleast_2d(data.T), dtype=np.float64, order="C")
    clean_rows(rows, t_r, detrend, standardize, low_hz, high_hz, confounds, censored, n_jobs)
    return rows[0] if data.ndim == 1 else rows.T


def clean_rows(rows: NDArray[np.float64], t_r: float, detrend: Optional[str],
               standardize: Union[str, bool, None], low_hz: float, high_hz: float,
               confounds: Optional[ArrayLike], censored: Optional[ArrayLike],
               n_jobs: Optional[int]) -> None:
    """Cleans series that are rows, in place."""
    n_time = rows.shape[1]
    name, period = detrend_of(detrend)
    if standardize is None or isinstance(standardize, bool):
        standardize = "zscore" if standardize else "none"
    columns = flags = None
    if confounds is not None:
        columns = _l.numbers(confounds, "confounds")
        if columns.ndim != 2 or columns.shape[0] != n_time:
            raise InvalidValueError(f"confounds: expected an array of {n_time} rows, found one of "
                                    f"shape {columns.shape}")
        columns = np.ascontiguousarray(columns.T, dtype=np.float64)
    if censored is not None:
        flags = np.asarray(censored)
        if flags.shape != (n_time,) or flags.dtype.kind not in "biu":
            raise InvalidTypeError(f"censored: expected {n_time} booleans, found {flags.dtype} of "
                                   f"shape {flags.shape}")
        flags = np.ascontiguousarray(flags != 0, dtype=np.uint8)
    options = _l.CleanOptions(ctypes.sizeof(_l.CleanOptions), 0, name,
                              _l.text_of(standardize, "standardize"), period,
                              _l.real_of(low_hz, "low_hz"), _l.real_of(high_hz, "high_hz"),
                              _l.address(columns),
                              0 if columns is None else columns.shape[0],
                              _l.address(flags))
    said: list[str] = []
    tell = _l.TELL(lambda _, text: said.append(text.decode("utf-8", "replace")))
    call = _l.Call(n_jobs, rows, columns, flags, options, tell)
    call.host.tell = ctypes.cast(tell, ctypes.c_void_p)
    call(float(rows.size), _l.lib.taut_clean, options, _l.real_of(t_r, "t_r"), call.host,
         _l.view(rows))
    for text in said:
        warnings.warn(text, RuntimeWarning, stacklevel=3)
