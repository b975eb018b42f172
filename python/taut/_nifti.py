# SPDX-License-Identifier: BSD-3-Clause
"""The estimator on images: nibabel's, or paths of files that it reads."""
from __future__ import annotations

import base64
import html
import io
import json
import os
import pathlib
import re
from typing import Any, NamedTuple, Optional, Union

import numpy as np
from numpy.typing import ArrayLike, NDArray

from . import _library as _l
from ._deconvolver import Deconvolver, Parameters, convolve, not_fitted
from ._errors import InvalidTypeError, InvalidValueError, NotApplicableError
from ._problem import Status

_MAPS = {"lambda": "lambda_", "gap": "gap_", "status": "status_", "n_jumps": "n_jumps_"}


def _nibabel() -> Any:
    try:
        import nibabel
    except ImportError:
        raise NotApplicableError("images: expected nibabel to read them, found none: install "
                                 "python3-nibabel or nibabel") from None
    return nibabel


class _Run(NamedTuple):
    """A 4-D image, and where it came from."""

    image: Any
    path: Optional[pathlib.Path]


def _load(image: Any, name: str, n_axes: int) -> _Run:
    """An image of nibabel, or that of a path."""
    path = None
    if isinstance(image, (str, os.PathLike)):
        path, nibabel = pathlib.Path(image), _nibabel()
        try:
            image = nibabel.load(path)
        except FileNotFoundError:
            raise
        except Exception as why:
            raise InvalidValueError(f"{name}: expected an image that nibabel reads, found {path}: "
                                    f"{why}") from None
    if not hasattr(image, "dataobj") or not hasattr(image, "affine"):
        raise InvalidTypeError(f"{name}: expected an image or its path, found "
                               f"{type(image).__name__}")
    shape = image.shape
    while n_axes == 3 and len(shape) > 3 and shape[-1] == 1:
        image = image.slicer[..., 0]
        shape = image.shape
    if len(shape) != n_axes:
        raise InvalidValueError(f"{name}: expected an image of {n_axes} axes, found {shape}")
    return _Run(image, path)


def _same_grid(image: Any, run: Any, name: str) -> None:
    if image.shape != run.shape[:3] or not np.allclose(image.affine, run.affine, atol=1e-3):
        raise InvalidValueError(f"{name}: expected the grid of the run, {run.shape[:3]}, found "
                                f"{image.shape}" + ("" if image.shape != run.shape[:3] else
                                                    " with another affine"))


def _sidecar(path: Optional[pathlib.Path]) -> Optional[float]:
    """The repetition time in the JSON beside a file, in seconds."""
    if path is None:
        return None
    sidecar = path.with_name(re.sub(r"\.nii(\.gz)?$", "", path.name) + ".json")
    if not sidecar.is_file():
        return None
    try:
        value = json.loads(sidecar.read_text(encoding="utf-8")).get("RepetitionTime")
    except (ValueError, AttributeError):
        raise InvalidValueError(f"{sidecar}: expected a JSON object") from None
    return None if value is None else _l.real_of(value, f"{sidecar}: RepetitionTime")


def repetition_time(run: _Run) -> float:
    """In seconds: from the JSON beside the file, else from the header."""
    value = _sidecar(run.path)
    if value is None:
        zooms = run.image.header.get_zooms()
        unit = getattr(run.image.header, "get_xyzt_units", lambda: ("", "unknown"))()[1]
        value = float(zooms[3]) * {"msec": 1e-3, "usec": 1e-6}.get(unit, 1.0) \
            if len(zooms) > 3 else 0.0
    if not 0.0 < value < 100.0:
        raise InvalidValueError(f"t_r: expected one, since the image has none that is plausible "
                                f"({value:g} s)")
    return value


def _table(confounds: Any) -> Any:
    """Confounds as an array: from an array, a table of pandas, or the path of a table."""
    if not isinstance(confounds, (str, os.PathLike)):
        return confounds
    path = pathlib.Path(confounds)
    lines = path.read_text(encoding="utf-8").splitlines()
    separator = "," if path.suffix == ".csv" else "\t" if "\t" in (lines or [""])[0] else None
    rows = [[cell.strip() for cell in line.split(separator)] for line in lines if line.strip()]

    def number(text: str) -> float:
        return float("nan") if text in ("n/a", "NaN", "") else float(text)

    try:
        try:
            return np.array([[number(cell) for cell in row] for row in rows])
        except ValueError:
            return np.array([[number(cell) for cell in row] for row in rows[1:]])
    except ValueError:
        raise InvalidValueError(f"confounds: expected a table of numbers with a line of names, "
                                f"found {path}") from None


class Report:
    """A page about what was found; notebooks show it."""

    def __init__(self, body: str) -> None:
        self.body = body

    def _repr_html_(self) -> str:
        return self.body

    def __str__(self) -> str:
        return ("<!DOCTYPE html>\n<html><head><meta charset='utf-8'><title>Taut</title></head>"
                f"<body style='font-family:sans-serif'>{self.body}</body></html>\n")

    def save_as_html(self, path: Union[str, os.PathLike[str]]) -> None:
        """Writes it as a page of its own."""
        pathlib.Path(path).write_text(str(self), encoding="utf-8")


class NiftiDeconvolver(Parameters):
    """`Deconvolver` for images: paths or images of nibabel in, images out.

    Parameters
    ----------
    mask_img : image or path
        3-D, not 0 inside, of the grid of the run. None: all voxels that are finite and vary.
    labels_img : image or path
        3-D, of whole numbers: the mean series of each label is deconvolved in place of voxels.
        With a mask, of its voxels inside.
    confounds : array, table of pandas, or path
        n_time rows, all columns of which are regressed out; a path is that of a .tsv, .csv or
        .txt. `fit` may be given others.
    t_r : float
        Repetition time, in seconds; None: the RepetitionTime of the JSON beside the file, else the
        header's.
    background_label : int
        The label that is none.
    hrf, lam, rule, standardize, detrend, low_hz, high_hz, conv, method, tol, max_iter, n_jobs
        As for `Deconvolver`.

    Attributes
    ----------
    coef_, innovation_, fitted_, lambda_, gap_, status_, n_jumps_, hrf_
        As those of `Deconvolver`: (n_time, n_voxels) and (n_voxels,), voxels of the mask in the
        order of C, or labels.
    labels_ : ndarray of shape (n_labels,)
        Where there are labels.
    mask_img_ : image
        The voxels that were used.
    t_r_ : float
        In seconds.
    coef_img_, innovation_img_, fitted_img_ : images of 4 axes
    lambda_img_, gap_img_, status_img_, n_jumps_img_ : images of 3 axes

    Examples
    --------
    >>> import taut
    >>> taut.NiftiDeconvolver(t_r=2.0, lam=0.05)
    NiftiDeconvolver(lam=0.05, t_r=2.0)
    """

    def __init__(self, mask_img: Any = None, labels_img: Any = None, confounds: Any = None,
                 t_r: Optional[float] = None, *, background_label: int = 0,
                 hrf: Union[str, ArrayLike] = "spm", lam: Union[float, ArrayLike] = 0.1,
                 rule: str = "ratio", standardize: Union[str, bool, None] = "zscore",
                 detrend: Optional[str] = "cosine:128", low_hz: float = 0.0, high_hz: float = 0.0,
                 conv: str = "causal", method: str = "exact", tol: float = 1e-6,
                 max_iter: int = 100000, n_jobs: Optional[int] = -1) -> None:
        self.mask_img = mask_img
        self.labels_img = labels_img
        self.confounds = confounds
        self.t_r = t_r
        self.background_label = background_label
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

    def fit(self, imgs: Any, y: Any = None, *, confounds: Any = None,
            censored: Optional[ArrayLike] = None) -> NiftiDeconvolver:
        """Deconvolves a run; the attributes hold what was found.

        Parameters
        ----------
        imgs : image of 4 axes, or its path
        y : ignored
        confounds
            In the place of those of the constructor.
        censored : array of bool of shape (n_time,)
            True for frames that do not count.

        Returns
        -------
        self
        """
        run = _load(imgs, "imgs", 4)
        self.t_r_ = repetition_time(run) if self.t_r is None else _l.real_of(self.t_r, "t_r")
        inner = Deconvolver(self.t_r_, **{name: value for name, value in self.get_params().items()
                                          if name in Deconvolver._parameter_names()
                                          and name != "t_r"})
        data = self._find_voxels(run.image)
        inner.fit(data, confounds=_table(self.confounds if confounds is None else confounds),
                  censored=censored)
        self._deconvolver = inner
        self._affine = run.image.affine
        for name in ("coef_", "hrf_", "n_iter_", *_MAPS.values()):
            setattr(self, name, getattr(inner, name))
        return self

    def transform(self, imgs: Any, *, confounds: Any = None,
                  censored: Optional[ArrayLike] = None) -> Any:
        """The activity behind a run of the same grid, as an image of 4 axes."""
        if not hasattr(self, "coef_"):
            raise not_fitted(self, "transform")
        run = _load(imgs, "imgs", 4)
        _same_grid(self.mask_img_, run.image, "imgs")
        table = _table(self.confounds if confounds is None else confounds)
        return self.inverse_transform(
            self._deconvolver.transform(self._series(run.image), confounds=table,
                                        censored=censored))

    def fit_transform(self, imgs: Any, y: Any = None, *, confounds: Any = None,
                      censored: Optional[ArrayLike] = None) -> Any:
        """`fit`, then `coef_img_`."""
        return self.fit(imgs, y, confounds=confounds, censored=censored).coef_img_

    def inverse_transform(self, X: ArrayLike) -> Any:
        """An image of numbers of the voxels (or labels): (n_time, n_voxels), or (n_voxels,)."""
        if not hasattr(self, "coef_"):
            raise not_fitted(self, "inverse_transform")
        values = _l.numbers(X, "X")
        n = self.coef_.shape[1]
        if values.ndim not in (1, 2) or values.shape[-1] != n:
            raise InvalidValueError(f"X: expected {n} voxels in the last axis, found shape "
                                    f"{values.shape}")
        kind = np.int32 if np.asarray(X).dtype.kind in "iub" else np.float32
        out = np.zeros((*self._place.shape, *values.shape[:-1]), kind)
        inside = self._place >= 0
        out[inside] = values[..., self._place[inside]].T
        image = _nibabel().Nifti1Image(out, self._affine, dtype=kind)
        image.header.set_xyzt_units("mm", "sec")
        if values.ndim == 2:
            image.header.set_zooms((*image.header.get_zooms()[:3], self.t_r_))
        return image

    @property
    def innovation_(self) -> NDArray[np.float64]:
        return self._inner("innovation_").innovation_

    @property
    def fitted_(self) -> NDArray[np.float64]:
        return self._inner("fitted_").fitted_

    def _inner(self, asked: str) -> Deconvolver:
        if not hasattr(self, "_deconvolver"):
            raise not_fitted(self, asked)
        return self._deconvolver

    def __getattr__(self, name: str) -> Any:
        known = ("coef", "innovation", "fitted", *_MAPS)
        if name.endswith("_img_") and name[:-5] in known:
            self._inner(name)
            return self.inverse_transform(getattr(self, name[:-4]))
        raise AttributeError(f"{type(self).__name__} has no {name}")

    def _find_voxels(self, image: Any) -> NDArray[Any]:
        """Sets what voxels are used and where; their series, or those of labels."""
        data = np.asanyarray(image.dataobj)
        if self.mask_img is None:
            with np.errstate(invalid="ignore", over="ignore"):
                low, high = data.min(axis=3), data.max(axis=3)
                inside = np.isfinite(low) & np.isfinite(high) & (low != high)
        else:
            mask = _load(self.mask_img, "mask_img", 3).image
            _same_grid(mask, image, "mask_img")
            inside = np.nan_to_num(np.asanyarray(mask.dataobj)) != 0
        self._place = np.full(inside.shape, -1, dtype=np.int64)
        if self.labels_img is None:
            self._place[inside] = np.arange(np.count_nonzero(inside))
        else:
            labels = _load(self.labels_img, "labels_img", 3).image
            _same_grid(labels, image, "labels_img")
            values = np.asanyarray(labels.dataobj)
            if (values != np.round(values)).any():
                raise InvalidValueError("labels_img: expected whole numbers, found others")
            inside &= values != self.background_label
            self.labels_, at = np.unique(values[inside].astype(np.int64), return_inverse=True)
            self._place[inside] = at
        if not inside.any():
            raise InvalidValueError("mask_img, labels_img: expected voxels inside, found none")
        self.mask_img_ = _nibabel().Nifti1Image(inside.astype(np.uint8), image.affine)
        return self._series(image, data)

    def _series(self, image: Any, data: Optional[NDArray[Any]] = None) -> NDArray[Any]:
        """n_time x n_voxels, or the means of labels."""
        data = np.asanyarray(image.dataobj) if data is None else data
        inside = self._place >= 0
        series = data[inside].T
        if self.labels_img is None:
            return series
        at = self._place[inside]
        counts = np.bincount(at)
        means = np.empty((series.shape[0], len(counts)))
        for t, frame in enumerate(series):
            means[t] = np.bincount(at, weights=frame) / counts
        return means

    def generate_report(self) -> Report:
        """What was found, as a page: counts, and figures where matplotlib is there."""
        self._inner("generate_report")
        counts = {Status(code).name.lower(): int(n)
                  for code, n in zip(*np.unique(self.status_, return_counts=True))}
        good = np.isin(self.status_, (Status.SOLVED, Status.INACCURATE))
        what = "labels" if self.labels_img is not None else "voxels"
        rows = {what: str(len(self.status_)), "frames": f"{len(self.coef_)}, every {self.t_r_:g} s",
                "status": ", ".join(f"{n} {name}" for name, n in counts.items()),
                "response": self.hrf if isinstance(self.hrf, str) else f"{len(self.hrf_)} samples",
                "lambda": f"rule {self.rule}, median {np.median(self.lambda_):.4g}",
                "largest relative gap": f"{self.gap_[good].max():.1e}" if good.any() else "-",
                "jumps": f"{np.median(self.n_jumps_):g} in the median series"}
        table = "".join(f"<tr><th style='text-align:left'>{html.escape(name)}</th>"
                        f"<td>{html.escape(value)}</td></tr>" for name, value in rows.items())
        return Report(f"<h3>Taut: deconvolved run</h3><table>{table}</table>{self._figure(good)}")

    def _repr_html_(self) -> str:
        if not hasattr(self, "coef_"):
            return f"<pre>{html.escape(repr(self))}</pre>"
        return self.generate_report()._repr_html_()

    def _figure(self, good: NDArray[np.bool_]) -> str:
        try:
            from matplotlib.figure import Figure
        except ImportError:
            return "<p>No figure: matplotlib is absent.</p>"
        figure = Figure(figsize=(9, 5.2), layout="constrained")
        top, bottom = figure.subplots(2, 1, height_ratios=(1, 1))
        volume = np.zeros(self._place.shape)
        inside = self._place >= 0
        strength = self.coef_.std(axis=0)
        volume[inside] = strength[self._place[inside]]
        filled = np.flatnonzero(inside.any(axis=(0, 1)))
        shown = filled[np.linspace(0, len(filled) - 1, min(8, len(filled))).astype(int)]
        drawn = top.imshow(np.hstack([np.rot90(volume[:, :, z]) for z in shown]), cmap="magma")
        top.set(title="Standard deviation of the activity", xticks=[], yticks=[])
        figure.colorbar(drawn, ax=top)
        v = int(np.argmax(np.where(good, strength, -1.0)))
        activity = self.coef_[:, v]
        fitted = convolve(self.hrf_, activity, full=self.conv == "full")
        bottom.plot(self.t_r_ * np.arange(len(fitted)), fitted, lw=0.8, label="response to it")
        bottom.step(self.t_r_ * np.arange(len(activity)), activity, where="post", label="activity")
        bottom.set(xlabel="s", title="Where it is strongest")
        bottom.legend()
        stream = io.BytesIO()
        figure.savefig(stream, format="png", dpi=90)
        return ("<img alt='map and series' src='data:image/png;base64,"
                f"{base64.b64encode(stream.getvalue()).decode()}'>")
