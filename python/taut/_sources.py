# SPDX-License-Identifier: BSD-3-Clause
"""Sparse sources of M/EEG: on arrays, and on the objects of MNE-Python."""
from __future__ import annotations

import ctypes
import warnings
from ctypes import byref, c_size_t
from dataclasses import dataclass
from typing import Any, Optional, Union

import numpy as np
from numpy.typing import ArrayLike, NDArray

from . import _library as _l
from ._errors import InvalidTypeError, InvalidValueError, NotApplicableError, TautError

_SENSORS = {"mag": 0, "grad": 1, "eeg": 2}
_ORIENTATIONS = {"fixed": 0, "loose": 1, "free": 2}


def whitener(covariance: ArrayLike, sensors: list[str],
             projections: Optional[ArrayLike] = None) -> NDArray[np.float64]:
    """W with ``W C W' = 1`` on what projections leave of a noise covariance C.

    MEG and EEG are whitened apart. Data and gains are whitened as ``W @ x``, and projected by it.

    Parameters
    ----------
    covariance : array of shape (n, n), or (n,) for one whose other entries are not known
        In T^2, (T/m)^2, V^2.
    sensors : list of "mag", "grad", "eeg"
        What the n sensors are.
    projections : array of shape (n_projections, n)
        Directions that are taken out of the data.

    Returns
    -------
    ndarray of shape (rank, n)

    Examples
    --------
    >>> import numpy as np, taut
    >>> taut.whitener(np.diag([4.0, 0.25]), ["eeg", "eeg"])
    array([[0.5, 0. ],
           [0. , 2. ]])
    """
    given = _l.numbers(covariance, "covariance")
    is_diagonal = given.ndim == 1
    c = np.ascontiguousarray(np.diag(given) if is_diagonal else given, dtype=np.float64)
    if c.ndim != 2 or c.shape[0] != c.shape[1]:
        raise InvalidValueError(f"covariance: expected a square matrix, found shape {c.shape}")
    n = c.shape[0]
    if len(sensors) != n or any(name not in _SENSORS for name in sensors):
        raise InvalidValueError(f"sensors: expected {n} times mag, grad or eeg, found "
                                f"{_l.shown(sensors)}")
    kinds = np.array([_SENSORS[name] for name in sensors], dtype=np.int32)
    directions = None
    if projections is not None:
        directions = np.ascontiguousarray(_l.numbers(projections, "projections"), dtype=np.float64)
        if directions.ndim != 2 or directions.shape[1] != n:
            raise InvalidValueError(f"projections: expected rows of {n} numbers, found shape "
                                    f"{directions.shape}")
    noise = _l.Noise(ctypes.sizeof(_l.Noise), int(is_diagonal), _l.address(c), _l.address(kinds),
                     _l.address(directions), n, 0 if directions is None else len(directions))
    w, rank = np.zeros((n, n)), c_size_t()
    call = _l.Call(1, c, kinds, directions, w, rank)
    call(float(n) ** 3, _l.lib.taut_whitener, noise, _l.address(w), byref(rank))
    return w[:rank.value]


@dataclass(frozen=True)
class Gain:
    """A whitened, weighted gain.

    Attributes
    ----------
    gain : ndarray of shape (rank, n_positions * n_orient), in the order of Fortran
    weight : ndarray of shape (n_positions * n_orient,)
        A row of the sources times it is an amplitude in A m.
    axes : ndarray of shape (n_positions * n_orient, 3)
        The direction of each column.
    n_orient : int
        1 or 3 columns a position.
    """

    gain: NDArray[np.float64]
    weight: NDArray[np.float64]
    axes: NDArray[np.float64]
    n_orient: int


def gain(forward: ArrayLike, w: ArrayLike, normals: Optional[ArrayLike] = None, *,
         orientation: str = "loose", loose: float = 0.2, depth: float = 0.8) -> Gain:
    """The gain on which sparse sources are sought, as `taut sources` and MNE-Python form it.

    Parameters
    ----------
    forward : array of shape (n_sensors, 3 * n_positions)
        What sensors see of moments along x, y and z, in T, T/m and V per A m.
    w : array of shape (rank, n_sensors)
        A whitener.
    normals : array of shape (n_positions, 3)
        Of the cortex, of length 1; not needed where the orientation is free.
    orientation : str
        "fixed", "loose" or "free".
    loose : float
        Weight of tangents.
    depth : float
        Exponent against the preference for the surface; 0: none.

    Returns
    -------
    Gain
    """
    if orientation not in _ORIENTATIONS:
        raise InvalidValueError("orientation: expected fixed, loose or free, found "
                                f"{_l.shown(orientation)}")
    columns = np.asfortranarray(_l.numbers(forward, "forward"), dtype=np.float64)
    rows = np.ascontiguousarray(_l.numbers(w, "w"), dtype=np.float64)
    if columns.ndim != 2 or columns.shape[1] % 3:
        raise InvalidValueError("forward: expected three columns a position, found shape "
                                f"{columns.shape}")
    n, n_positions = columns.shape[0], columns.shape[1] // 3
    if rows.ndim != 2 or rows.shape[1] != n:
        raise InvalidValueError(f"w: expected rows of {n} numbers, found shape {rows.shape}")
    directions = None
    if normals is not None:
        directions = np.ascontiguousarray(_l.numbers(normals, "normals"), dtype=np.float64)
        if directions.shape != (n_positions, 3):
            raise InvalidValueError(f"normals: expected {n_positions} x 3 numbers, found shape "
                                    f"{directions.shape}")
    n_orient = 1 if orientation == "fixed" else 3
    asked = _l.Forward(ctypes.sizeof(_l.Forward), _ORIENTATIONS[orientation], _l.address(columns),
                       _l.address(directions), _l.address(rows), n, n_positions, rows.shape[0],
                       _l.real_of(loose, "loose"), _l.real_of(depth, "depth"))
    made = Gain(np.empty((rows.shape[0], n_positions * n_orient), order="F"),
                np.empty(n_positions * n_orient), np.empty((n_positions * n_orient, 3)), n_orient)
    call = _l.Call(1, columns, rows, directions, made)
    call(float(columns.size) * rows.shape[0] / 10, _l.lib.taut_gain, asked, call.host,
         _l.address(made.gain), _l.address(made.weight), _l.address(made.axes))
    return made


@dataclass(frozen=True)
class Sources:
    """Sparse sources, with what is known of them.

    Attributes
    ----------
    positions : ndarray of shape (n_active,)
        Rising.
    x : ndarray of shape (n_active, n_orient, n_time)
        Their time courses; times the weight of a column an amplitude.
    alpha, alpha_max : float
        From alpha_max on, there are none.
    objective : float
    gap : float
        Relative duality gap; for "irl21" that of its first round, since its problem is not convex.
    converged : bool
    bias : ndarray of shape (n_active,), or None
        What x was multiplied by, where that was asked for.
    """

    positions: NDArray[np.intp]
    x: NDArray[np.float64]
    alpha: float
    alpha_max: float
    objective: float
    gap: float
    converged: bool
    bias: Optional[NDArray[np.float64]]


def _take(pointer: Any, shape: tuple[int, ...], dtype: Any) -> NDArray[Any]:
    n = int(np.prod(shape))
    if n == 0:
        return np.empty(shape, dtype)
    return np.ctypeslib.as_array(pointer, (n,)).astype(dtype).reshape(shape)


def sources(G: ArrayLike, M: ArrayLike, ratio: float, *, n_orient: int = 1, model: str = "l21",
            tol: float = 1e-9, debias: bool = False) -> Sources:
    """Sparse sources that share their support over time, certified::

        min_X  1/2 ||M - G X||^2 + alpha sum_k ||X_k||,   alpha = ratio alpha_max

    Parameters
    ----------
    G : array of shape (n_sensors, n_positions * n_orient)
        A whitened, weighted gain; see `gain`.
    M : array of shape (n_sensors, n_time)
        Whitened data.
    ratio : float
        Above 0; from 1 on there are no sources.
    n_orient : int
        1 or 3 columns a position.
    model : str
        "l21", or "irl21", with ``sqrt(||X_k||)``, by reweighting.
    tol : float
        Relative duality gap.
    debias : bool
        Scale each position up against the shrinkage of the penalty.

    Returns
    -------
    Sources

    Examples
    --------
    >>> import numpy as np, taut
    >>> rng = np.random.default_rng(0)
    >>> G, X = rng.standard_normal((20, 50)), np.zeros((50, 4))
    >>> X[[7, 31]] = 5.0
    >>> found = taut.sources(G, G @ X, 0.2)
    >>> found.positions.tolist(), found.x.shape, found.gap < 1e-9
    ([7, 31], (2, 1, 4), True)
    """
    columns = np.asfortranarray(_l.numbers(G, "G"), dtype=np.float64)
    data = np.ascontiguousarray(_l.numbers(M, "M"), dtype=np.float64)
    orient = _l.count_of(n_orient, "n_orient", 1)
    if columns.ndim != 2 or data.ndim != 2 or columns.shape[0] != data.shape[0]:
        raise InvalidValueError(f"G, M: expected matrices of as many rows, found shapes "
                                f"{columns.shape} and {data.shape}")
    if columns.shape[1] % orient:
        raise InvalidValueError(f"G: expected {orient} columns a position, found {columns.shape[1]}"
                                " columns")
    asked = _l.SourcesInput(_l.address(columns), _l.address(data), columns.shape[0],
                            columns.shape[1] // orient, orient, data.shape[1])
    result = _l.SourcesResult()
    call = _l.Call(1, columns, data, asked)
    call(float("inf"), _l.lib.taut_sources, _l.text_of(model, "model"), asked,
         _l.real_of(ratio, "ratio"), _l.real_of(tol, "tol"), call.host, result)
    try:
        if debias:
            call(0.0, _l.lib.taut_sources_debias, asked, result)
        n = result.n_active
        return Sources(_take(result.position, (n,), np.intp),
                       _take(result.x, (n, orient, data.shape[1]), np.float64), result.alpha,
                       result.alpha_max, result.objective, result.relative_gap,
                       bool(result.converged),
                       _take(result.bias, (n,), np.float64) if debias else None)
    finally:
        _l.lib.taut_sources_clear(result)


# On the objects of MNE-Python


def _mne() -> Any:
    try:
        import mne
    except ImportError:
        raise NotApplicableError("mixed_norm: expected MNE-Python, found none: install python3-mne "
                                 "or mne") from None
    return mne


def _channels(info: Any, forward: Any, noise_cov: Any) -> list[str]:
    """Those that are good and in all three, in the order of the recording."""
    bads = set(info["bads"]) | set(noise_cov["bads"])
    known = set(forward["sol"]["row_names"]) & set(noise_cov.ch_names)
    names = [name for name in info["ch_names"] if name in known and name not in bads]
    if not names:
        raise InvalidValueError("evoked, forward, noise_cov: expected good channels in common, "
                                "found none")
    return names


def _moments(mne: Any, forward: Any, names: list[str], orientation: str,
             ) -> tuple[NDArray[np.float64], Optional[NDArray[np.float64]]]:
    """(what sensors see of moments along x, y, z; normals)."""
    rows = [forward["sol"]["row_names"].index(name) for name in names]
    data = forward["sol"]["data"][rows].astype(np.float64)
    nn = np.asarray(forward["source_nn"], dtype=np.float64)
    if forward["nsource"] == data.shape[1]:  # fixed: as if the other moments were not seen
        if orientation != "fixed":
            raise InvalidValueError("forward: expected one of free orientation, found a fixed one; "
                                    "with it, loose is 0")
        return (data[:, :, np.newaxis] * nn).reshape(len(names), -1), nn
    if forward["surf_ori"]:
        axes = nn.reshape(-1, 3, 3)
        turned = np.einsum("ska,kab->skb", data.reshape(len(names), -1, 3), axes)
        return turned.reshape(len(names), -1), axes[:, 2]
    if orientation == "free":
        return data, None
    turned = mne.convert_forward_solution(forward, surf_ori=True, use_cps=True, copy=True,
                                          verbose="error")
    return data, np.asarray(turned["source_nn"], dtype=np.float64)[2::3]


def _check_arguments(alpha: Any, pick_ori: Any, unused: dict[str, Any]) -> float:
    """The percentage of alpha_max, where all is well."""
    _mne()
    for name in unused:
        if name not in ("maxit", "active_set_size", "solver", "dgap_freq", "verbose"):
            raise InvalidTypeError(f"{name}: expected an argument of MNE's mixed_norm that is "
                                   "offered here")
    if isinstance(alpha, str):
        raise NotApplicableError("alpha: expected a number above 0 and below 100, found "
                                 f"{_l.shown(alpha)}")
    percent = _l.real_of(alpha, "alpha")
    if not 0.0 < percent < 100.0:
        raise InvalidValueError(f"alpha: expected a number above 0 and below 100, found {percent:g}")
    if pick_ori not in (None, "vector"):
        raise InvalidValueError(f"pick_ori: expected None or vector, found {_l.shown(pick_ori)}")
    return percent


@dataclass(frozen=True)
class _Formed(Gain):
    """What MNE's objects say: channels, W on them, and what they see of moments along x, y, z."""

    names: list[str]
    w: NDArray[np.float64]
    moments: NDArray[np.float64]


def _form(info: Any, forward: Any, noise_cov: Any, loose: Any, depth: float, rank: Any) -> _Formed:
    mne = _mne()
    weight = _loose_of(loose, forward)
    orientation = "fixed" if weight == 0.0 else "free" if weight == 1.0 else "loose"
    names = _channels(info, forward, noise_cov)
    w = mne.cov.compute_whitener(noise_cov, info, picks=names, rank=rank, pca=True,
                                 verbose="error")[0]
    moments, normals = _moments(mne, forward, names, orientation)
    made = gain(moments, w, normals, orientation=orientation, loose=weight or 1.0, depth=depth)
    return _Formed(made.gain, made.weight, made.axes, made.n_orient, names, w, moments)


def _observed(several: list[Any], formed: _Formed, time_pca: Any) -> NDArray[np.float64]:
    """The whitened averages, one after the other."""
    at = [several[0].ch_names.index(name) for name in formed.names]
    data = formed.w @ np.concatenate([e.data[at] for e in several], axis=1)
    if isinstance(time_pca, (bool, np.bool_)):
        return data
    u, s, v = np.linalg.svd(data, full_matrices=False)
    k = _l.count_of(time_pca, "time_pca", 1)
    return (u[:, :k] * s[:k]) @ v[:k]


def _loose_of(loose: Union[str, float, dict[str, float]], forward: Any) -> float:
    is_surface = forward["src"].kind == "surface"
    is_fixed = forward["nsource"] == forward["sol"]["data"].shape[1]
    if isinstance(loose, dict):
        raise NotApplicableError("loose: expected one number for all source spaces, found a "
                                 "dictionary")
    if isinstance(loose, str):
        if loose != "auto":
            raise InvalidValueError(f"loose: expected auto or 0 to 1, found {_l.shown(loose)}")
        return 0.0 if is_fixed else 0.2 if is_surface else 1.0
    value = _l.real_of(loose, "loose")
    if not 0.0 <= value <= 1.0:
        raise InvalidValueError(f"loose: expected auto or 0 to 1, found {value:g}")
    if value < 1.0 and not is_surface:
        raise InvalidValueError(f"loose: expected 1 for {forward['src'].kind} source spaces, "
                                f"found {value:g}")
    return value


def _position_weights(weights: Any, weights_min: float, n: int) -> NDArray[np.float64]:
    """Of each position, at most 1; 0: it is left out."""
    if weights is None:
        return np.ones(n)
    values = np.abs(weights.data).max(axis=1) if hasattr(weights, "vertices") else weights
    found = _l.vector(values, "weights", n)
    least = _l.real_of(weights_min, "weights_min")
    if not (np.isfinite(found).all() and found.max() > max(least, 0.0) and found.min() >= 0.0):
        raise InvalidValueError("weights: expected numbers of at least 0, some above weights_min")
    return np.where(found > least, found, 0.0) / found.max()


def _estimate(forward: Any, active: NDArray[np.intp], x: NDArray[np.float64],
              moments: NDArray[np.float64], evoked: Any, is_vector: bool) -> Any:
    """A source estimate of x (n_active, n_orient, n_time), or of the moments (n_active, 3, n_time).
    """
    src, vertices, before = forward["src"], [], 0
    for space in src:
        vertno = np.asarray(space["vertno"])
        inside = (active >= before) & (active < before + len(vertno))
        vertices.append(vertno[active[inside] - before])
        before += len(vertno)
    name = {"surface": "", "volume": "Vol", "mixed": "Mixed"}[src.kind]
    kind = getattr(_mne(), f"{name}{'Vector' if is_vector else ''}SourceEstimate")
    amplitudes = moments if is_vector else x[:, 0] if x.shape[1] == 1 else np.linalg.norm(x, axis=1)
    return kind(amplitudes, vertices, tmin=evoked.times[0], tstep=1.0 / evoked.info["sfreq"],
                subject=src[0]["subject_his_id"])


def _residual(evoked: Any, formed: _Formed, active: NDArray[np.intp],
              moments: NDArray[np.float64]) -> Any:
    """The average without what sources explain, as its projections leave that."""
    left = evoked.copy().pick(formed.names)
    seen = formed.moments.reshape(len(formed.names), -1, 3)[:, active]
    left.data -= _projector(evoked.info, formed.names) @ np.einsum("skd,kdt->st", seen, moments)
    return left


def _projector(info: Any, names: list[str]) -> NDArray[np.float64]:
    """I - U U', of the projections that were applied to the data."""
    rows = []
    for projection in info["projs"]:
        if projection["active"]:
            where = {name: i for i, name in enumerate(projection["data"]["col_names"])}
            for vector in projection["data"]["data"]:
                row = np.array([vector[where[n]] if n in where else 0.0 for n in names])
                if np.linalg.norm(row) > 0.0:
                    rows.append(row / np.linalg.norm(row))
    if not rows:
        return np.eye(len(names))
    u, s, _ = np.linalg.svd(np.array(rows).T, full_matrices=False)
    u = u[:, s > 1e-2 * s[0]]
    return np.eye(len(names)) - u @ u.T


def mixed_norm(evoked: Any, forward: Any, noise_cov: Any, alpha: float = 50.0,
               loose: Union[str, float] = "auto", depth: float = 0.8, *, tol: float = 1e-9,
               debias: bool = True, time_pca: Union[bool, int] = True, weights: Any = None,
               weights_min: float = 0.0, n_mxne_iter: int = 1, return_residual: bool = False,
               rank: Any = None, pick_ori: Optional[str] = None, **unused: Any) -> Any:
    """Sparse sources of an average (MxNE, irMxNE), on the problem that MNE-Python forms.

    The arguments, and what comes back, are those of ``mne.inverse_sparse.mixed_norm``; the solver
    is Taut's, and its duality gap is certified.

    Parameters
    ----------
    evoked : mne.Evoked or list of them
    forward : mne.Forward
    noise_cov : mne.Covariance
    alpha : float
        Above 0, below 100, in percent of the alpha from which on there are no sources.
    loose : "auto" or float
        0: fixed to the normals of the cortex; 1: free; between, the weight of tangents. "auto" is
        0.2 for surfaces (0 if the forward solution is fixed), 1 for volumes.
    depth : float
        Exponent of the depth prior, 0: none.
    tol : float
        Relative duality gap; a warning tells where it is missed.
    debias : bool
        Scale each source up against the shrinkage of the penalty.
    time_pca : bool or int
        A number: the data are reduced to that rank. True and False give the same.
    weights : array of shape (n_sources,) or SourceEstimate
        Where sources are thought likely.
    weights_min : float
        Sources of at most that weight are left out.
    n_mxne_iter : int
        1: mixed norm. More: reweighted, to the end, however many rounds that takes.
    return_residual : bool
        Whether the evoked data without what sources explain are returned too.
    rank, pick_ori
        As in MNE: `rank` is for the whitener; pick_ori None or "vector".
    **unused
        maxit, active_set_size, solver, dgap_freq, verbose of MNE: taken, and not needed.

    Returns
    -------
    stc : mne.SourceEstimate or its kin, or list of them
        Amplitudes in A m.
    residual : mne.Evoked or list of them
        If `return_residual`.

    Notes
    -----
    Not offered: alpha "sure", `loose` that differs between source spaces, dipoles.
    """
    percent = _check_arguments(alpha, pick_ori, unused)
    several = evoked if isinstance(evoked, list) else [evoked]
    if not several or any(e.ch_names != several[0].ch_names for e in several):
        raise InvalidValueError("evoked: expected averages of the same channels")
    formed = _form(several[0].info, forward, noise_cov, loose, depth, rank)
    if pick_ori == "vector" and formed.n_orient == 1:
        raise InvalidValueError("pick_ori: expected None for fixed orientation, found vector")
    prior = _position_weights(weights, weights_min, len(formed.weight) // formed.n_orient)
    kept = np.flatnonzero(prior)
    columns = (kept[:, np.newaxis] * formed.n_orient + np.arange(formed.n_orient)).ravel()
    found = sources(formed.gain[:, columns] * np.repeat(prior[kept], formed.n_orient),
                    _observed(several, formed, time_pca), percent / 100.0,
                    n_orient=formed.n_orient,
                    model="l21" if _l.count_of(n_mxne_iter, "n_mxne_iter", 1) == 1 else "irl21",
                    tol=tol, debias=bool(debias))
    if not found.converged:
        warnings.warn(f"mixed_norm: relative gap {found.gap:.1e} after the last pass, tol is "
                      f"{tol:g}", RuntimeWarning, stacklevel=2)
    active = kept[found.positions]
    rows = active[:, np.newaxis] * formed.n_orient + np.arange(formed.n_orient)
    x = found.x * (formed.weight[rows] * prior[active][:, np.newaxis])[:, :, np.newaxis]
    stcs, residuals, first = [], [], 0
    for e in several:
        window = x[:, :, first:first + len(e.times)]
        moments = np.einsum("kot,kod->kdt", window, formed.axes[rows])
        stcs.append(_estimate(forward, active, window, moments, e, pick_ori == "vector"))
        if return_residual:
            residuals.append(_residual(e, formed, active, moments))
        first += len(e.times)
    if not isinstance(evoked, list):
        return (stcs[0], residuals[0]) if return_residual else stcs[0]
    return (stcs, residuals) if return_residual else stcs


__all__ = ["Gain", "Sources", "TautError", "gain", "mixed_norm", "sources", "whitener"]
