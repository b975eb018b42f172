# SPDX-License-Identifier: BSD-3-Clause
"""The estimator, in the manner of scikit-learn, which it does not need."""
from __future__ import annotations

import inspect
from typing import Any, Optional, Union

import numpy as np
from numpy.typing import ArrayLike, NDArray

from . import _library as _l
from ._errors import InvalidTypeError, InvalidValueError, NotFittedError
from ._functions import clean_rows, hrf as sample_hrf
from ._problem import Problem

_CONV = {"causal": False, "full": True}


def not_fitted(self: Any, asked: str) -> Exception:
    """As scikit-learn has it, where it is loaded."""
    text = (f"This {type(self).__name__} instance is not fitted yet: expected fit before "
            f"{asked}")
    try:
        from sklearn.exceptions import NotFittedError as theirs
    except ImportError:
        return NotFittedError(text)
    return type("NotFittedError", (NotFittedError, theirs), {})(text)


class Parameters:
    """get_params, set_params, the representation and the tags of scikit-learn's estimators."""

    @classmethod
    def _parameter_names(cls) -> list[str]:
        return sorted(name for name in inspect.signature(cls.__init__).parameters
                      if name != "self")

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """The arguments of the constructor, by name."""
        return {name: getattr(self, name) for name in self._parameter_names()}

    def set_params(self, **params: Any) -> Any:
        """Changes arguments of the constructor; returns self."""
        known = self._parameter_names()
        for name in params:
            if name not in known:
                raise InvalidValueError(f"{name}: expected a parameter of {type(self).__name__}: "
                                        f"{', '.join(known)}")
        for name, value in params.items():
            setattr(self, name, value)
        return self

    def __repr__(self) -> str:
        defaults = inspect.signature(type(self).__init__).parameters
        changed = [f"{name}={value!r}" for name, value in self.get_params().items()
                   if not _same(value, defaults[name].default)]
        return f"{type(self).__name__}({', '.join(changed)})"

    def _more_tags(self) -> dict[str, Any]:
        return {"allow_nan": True, "preserves_dtype": [np.float64], "_xfail_checks": {
            "check_methods_subset_invariance": _ROWS, "check_methods_sample_order_invariance":
            _ROWS}}

    def __sklearn_tags__(self) -> Any:
        from sklearn.utils import Tags, TargetTags, TransformerTags
        tags = Tags(estimator_type="transformer", target_tags=TargetTags(required=False),
                    transformer_tags=TransformerTags(preserves_dtype=["float64"]))
        tags.input_tags.allow_nan = True
        return tags

    def __sklearn_is_fitted__(self) -> bool:
        return hasattr(self, "coef_")


_ROWS = "rows are moments of a series, which are not independent"


def _same(a: Any, b: Any) -> bool:
    return a is b or (type(a) is type(b) and not isinstance(a, np.ndarray) and a == b)


class Deconvolver(Parameters):
    """Deconvolves the series of voxels, exactly and with a proof.

    Each series x, once it is cleaned, becomes the activity u of least total variation that
    explains it with the response h::

        min_u  1/2 ||x - h * u||^2 + lambda sum_t |u_{t+1} - u_t|

    Parameters
    ----------
    t_r : float
        Repetition time, in seconds.
    hrf : str or array of shape (n_h,)
        The response: a model of ``taut.names("hrf")``, or its samples at t_r.
    lam : float or array of shape (n_voxels,)
        Weight of the total variation: the fraction of each series' lambda_max (rule "ratio") or
        the lambda itself ("fixed"). Other rules do not read it.
    rule : str
        "ratio", "fixed", or from the data: "ut", "lut", "mad" (level of noise), "aic", "bic".
    standardize : str or None
        "none", "zscore", "psc"; the unit of u is that of the standardised data over that of h.
    detrend : str or None
        "none", "constant", "linear", "cosine:128" (seconds), "linear+cosine:128".
    low_hz, high_hz : float
        Edges of a band-pass, in Hz; 0: no such edge.
    conv : str
        "causal": as many samples of u as frames, with nothing before the first. "full": n_time -
        n_h + 1 of them.
    method : str
        One of ``taut.names("tv-methods")``.
    tol : float
        Relative duality gap at which iterative methods stop and a series counts as solved.
    max_iter : int
        Of iterative methods.
    n_jobs : int or None
        Threads, as joblib counts them; results are the same bytes for any number.

    Attributes
    ----------
    coef_ : ndarray of shape (n_time, n_voxels)
        The activity u.
    innovation_ : ndarray of shape (n_time, n_voxels)
        Its first difference, u(t) - u(t-1); 0 in the first frame.
    fitted_ : ndarray of shape (n_time, n_voxels)
        h * u, in the unit of the cleaned data.
    lambda_, gap_ : ndarray of shape (n_voxels,)
        The lambda that was used; the relative duality gap, at least as large as what the objective
        could still fall.
    status_ : ndarray of shape (n_voxels,)
        A `taut.Status` each; voxels that are not finite have activity 0 and status 3.
    n_jumps_ : ndarray of shape (n_voxels,)
        Changes of activity.
    n_iter_ : int
        Most iterations of a voxel, in the method's own unit.
    hrf_ : ndarray of shape (n_h,)
        The response that was used.
    n_features_in_ : int
        Voxels.

    Examples
    --------
    >>> import numpy as np, taut
    >>> rng = np.random.default_rng(0)
    >>> activity = np.zeros((120, 3)); activity[30:60] = 1.0
    >>> X = taut.convolve(taut.hrf("spm", 2.0), activity) + 0.1 * rng.standard_normal((120, 3))
    >>> deconvolver = taut.Deconvolver(t_r=2.0, detrend="constant")
    >>> u = deconvolver.fit_transform(X)
    >>> u.shape, deconvolver.status_.tolist(), bool(deconvolver.gap_.max() < 1e-12)
    ((120, 3), [1, 1, 1], True)
    >>> bool(u[35:55].min() > u[70:].max())
    True
    """

    def __init__(self, t_r: float = 2.0, *, hrf: Union[str, ArrayLike] = "spm",
                 lam: Union[float, ArrayLike] = 0.1, rule: str = "ratio",
                 standardize: Union[str, bool, None] = "zscore",
                 detrend: Optional[str] = "cosine:128", low_hz: float = 0.0, high_hz: float = 0.0,
                 conv: str = "causal", method: str = "exact", tol: float = 1e-6,
                 max_iter: int = 100000, n_jobs: Optional[int] = -1) -> None:
        self.t_r = t_r
        self.hrf = hrf
        self.lam = lam
        self.rule = rule
        self.standardize = standardize
        self.detrend = detrend
        self.low_hz = low_hz
        self.high_hz = high_hz
        self.conv = conv
        self.method = method
        self.tol = tol
        self.max_iter = max_iter
        self.n_jobs = n_jobs

    def fit(self, X: ArrayLike, y: Any = None, *, confounds: Optional[ArrayLike] = None,
            censored: Optional[ArrayLike] = None) -> Deconvolver:
        """Deconvolves X; the attributes hold what was found.

        Parameters
        ----------
        X : array of shape (n_time, n_voxels)
        y : ignored
        confounds : array of shape (n_time, n_confounds)
            What is regressed out before.
        censored : array of bool of shape (n_time,)
            True for frames that do not count; they become 0.

        Returns
        -------
        self
        """
        data = self._check(X)
        found = self._deconvolve(data, confounds, censored)
        self.n_features_in_ = data.shape[1]
        self._keep_names(X)
        for name, value in found.items():
            setattr(self, name, value)
        return self

    def transform(self, X: ArrayLike, *, confounds: Optional[ArrayLike] = None,
                  censored: Optional[ArrayLike] = None) -> NDArray[np.float64]:
        """The activity behind X, another run of the same voxels; attributes stay those of `fit`.

        Parameters
        ----------
        X, confounds, censored
            As for `fit`.

        Returns
        -------
        ndarray of shape (n_time, n_voxels)
        """
        if not hasattr(self, "coef_"):
            raise not_fitted(self, "transform")
        data = self._check(X)
        if data.shape[1] != self.n_features_in_:
            raise InvalidValueError(f"X has {data.shape[1]} features, but {type(self).__name__} "
                                    f"is expecting {self.n_features_in_} features as input")
        return self._deconvolve(data, confounds, censored)["coef_"]

    def fit_transform(self, X: ArrayLike, y: Any = None, *,
                      confounds: Optional[ArrayLike] = None,
                      censored: Optional[ArrayLike] = None) -> NDArray[np.float64]:
        """`fit`, then `coef_`."""
        return self.fit(X, y, confounds=confounds, censored=censored).coef_

    @property
    def innovation_(self) -> NDArray[np.float64]:
        if not hasattr(self, "coef_"):
            raise not_fitted(self, "innovation_")
        return np.diff(self.coef_, axis=0, prepend=self.coef_[:1])

    @property
    def fitted_(self) -> NDArray[np.float64]:
        if not hasattr(self, "coef_"):
            raise not_fitted(self, "fitted_")
        return convolve(self.hrf_, self.coef_, full=_CONV[self.conv])

    def _response(self) -> NDArray[np.float64]:
        if isinstance(self.hrf, str):
            return sample_hrf(self.hrf, self.t_r)
        return _l.vector(self.hrf, "hrf")

    def _keep_names(self, X: Any) -> None:
        columns = getattr(X, "columns", None)
        if columns is not None and all(isinstance(name, str) for name in columns):
            self.feature_names_in_ = np.asarray(columns, dtype=object)
        elif hasattr(self, "feature_names_in_"):
            del self.feature_names_in_

    def _check(self, X: ArrayLike) -> NDArray[Any]:
        if hasattr(X, "toarray"):
            raise InvalidTypeError("X: expected a dense array, found a sparse one: "
                                   "use X.toarray()")
        data = _l.numbers(X, "X")
        if data.ndim != 2:
            raise InvalidValueError(f"X: expected time x voxels, found an array of shape "
                                    f"{data.shape}. Reshape your data")
        if data.shape[1] < 1:
            raise InvalidValueError(f"X: 0 feature(s) (shape={data.shape}) while a minimum of 1 "
                                    "is required.")
        if data.shape[0] < 2:
            raise InvalidValueError(f"X: {data.shape[0]} sample(s) (shape={data.shape}) while a "
                                    "minimum of 2 is required: 1 sample has no time course")
        if self.conv not in _CONV:
            raise InvalidValueError(f"conv: expected causal or full, found {self.conv!r}")
        return data

    def _deconvolve(self, data: NDArray[Any], confounds: Optional[ArrayLike],
                    censored: Optional[ArrayLike]) -> dict[str, Any]:
        response = self._response()
        problem = Problem.filter(response, data.shape[0], full=_CONV[self.conv])
        rows = np.array(data.T, dtype=np.float64, order="C")
        clean_rows(rows, self.t_r, self.detrend, self.standardize, self.low_hz, self.high_hz,
                   confounds, censored, self.n_jobs)
        lam = self.lam if self.rule in ("ratio", "fixed") else None
        found = problem.solve(rows, lam, rule=self.rule, method=self.method, tol=self.tol,
                              max_iter=self.max_iter, n_jobs=self.n_jobs)
        return {"coef_": found.u.T, "lambda_": found.lambda_.copy(), "gap_": found.gap.copy(),
                "status_": found.status.copy(), "n_jumps_": found.n_jumps.astype(np.int64),
                "n_iter_": max(1, int(found.info["iterations"].max())), "hrf_": response}


def convolve(h: ArrayLike, u: ArrayLike, *, full: bool = False) -> NDArray[np.float64]:
    """What activity looks like through a response, ``x_t = sum_k h_k u_{t-k}``.

    Parameters
    ----------
    h : array of shape (n_h,)
    u : array of shape (n_time, n_voxels), or (n_time,)
    full : bool
        False: as many frames as u has, and nothing before the first. True: n_time + n_h - 1.

    Returns
    -------
    ndarray of shape (n_time, n_voxels), or (n_time,)

    Examples
    --------
    >>> import taut
    >>> taut.convolve([1.0, 2.0], [1.0, 0.0, 1.0])
    array([1., 2., 1.])
    """
    response, activity = _l.vector(h, "h"), _l.numbers(u, "u")
    if activity.ndim not in (1, 2):
        raise InvalidValueError(f"u: expected time x voxels, found an array of shape "
                                f"{activity.shape}")
    n = activity.shape[0]
    x = np.zeros((n + len(response) - 1, *activity.shape[1:]))
    for k, weight in enumerate(response):
        x[k:k + n] += weight * activity
    return x if full else x[:n]
