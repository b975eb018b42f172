# SPDX-License-Identifier: BSD-3-Clause
"""Taut: certified sparse deconvolution, from numpy arrays.

`Deconvolver` takes the runs of fMRI, time x voxels, as scikit-learn's estimators take data.
`Problem` is what is underneath: arrays whose rows are series, read and written in place. `hrf`,
`clean`, `prox_tv`, `tv_path`, `lasso_path` and `Network` are the rest of the library.
"""
from __future__ import annotations

from typing import Any

from ._deconvolver import Deconvolver, convolve
from ._errors import (InvalidTypeError, InvalidValueError, LibraryNotFoundError,
                      NotApplicableError, NotFittedError, OutOfMemoryError, StoppedError,
                      TautError, UnknownNameError)
from ._functions import LassoPath, clean, hrf, lasso_path, prox_tv, prox_tv_vjp, tv_path
from ._library import lib as _lib
from ._library import names
from ._network import Network, NetworkGradient
from ._nifti import NiftiDeconvolver, Report
from ._problem import Gradient, Problem, Solution, Status
from ._sources import Gain, Sources, gain, mixed_norm, sources, whitener

#: of the library in use
__version__: str = _lib.taut_version().decode()

__all__ = [
    "Deconvolver", "Gain", "Gradient", "InvalidTypeError", "InvalidValueError", "LassoPath",
    "LibraryNotFoundError", "Network", "NetworkGradient", "NiftiDeconvolver",
    "NotApplicableError", "NotFittedError", "OutOfMemoryError", "Problem", "Report", "Solution",
    "Sources", "Status", "StoppedError", "TautError", "UnknownNameError", "clean", "convolve",
    "gain", "hrf", "lasso_path", "mixed_norm", "names", "prox_tv", "prox_tv_vjp", "sources",
    "tv_path", "whitener",
]
