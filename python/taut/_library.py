# SPDX-License-Identifier: BSD-3-Clause
"""libtaut by ctypes: finding it, its structs, its functions, and calls that can be interrupted."""
from __future__ import annotations

import _thread
import ctypes
import functools
import operator
import os
import pathlib
import threading
from ctypes import POINTER, c_char, c_char_p, c_double, c_int, c_int32, c_size_t
from ctypes import c_ssize_t, c_uint32, c_uint64, c_void_p
from typing import Any, Callable, Iterator, Optional

import numpy as np

from ._errors import BY_CODE, InvalidTypeError, InvalidValueError, LibraryNotFoundError
from ._errors import OutOfMemoryError

API_MAJOR, API_MINOR = 0, 1
SONAME = "libtaut.so.0"

# Seconds that an interrupted call is waited for; it then ends on a thread of its own.
PATIENCE_S = 0.2
# Calls with less work than this run on the calling thread: they take a few milliseconds.
SHORT_WORK = 200_000


class Error(ctypes.Structure):
    _fields_ = [("code", c_int32), ("message", c_char * 508)]


class Host(ctypes.Structure):
    _fields_ = [("size", c_uint32), ("n_threads", c_uint32), ("mem_limit", c_uint64),
                ("go_on", c_void_p), ("tell", c_void_p), ("data", c_void_p), ("stop", c_void_p)]


class Array(ctypes.Structure):
    _fields_ = [("data", c_void_p), ("n_series", c_size_t), ("n_samples", c_size_t),
                ("series_stride", c_ssize_t), ("sample_stride", c_ssize_t),
                ("type", c_int32), ("reserved", c_int32)]


class Options(ctypes.Structure):
    _fields_ = [("size", c_uint32), ("safeguard", c_int32), ("method", c_char_p),
                ("rule", c_char_p), ("tol", c_double), ("max_iter", c_uint64),
                ("layers", c_uint64), ("certify", c_double)]


class Vjp(ctypes.Structure):
    _fields_ = [("size", c_uint32), ("reserved", c_uint32), ("x", POINTER(Array)),
                ("lam", c_void_p), ("u", POINTER(Array)), ("g", POINTER(Array)),
                ("dx", POINTER(Array)), ("dlambda", c_void_p), ("dresponse", c_void_p),
                ("dmatrix", c_void_p), ("dparameters", c_void_p),
                ("n_undefined", POINTER(c_size_t))]


class CleanOptions(ctypes.Structure):
    _fields_ = [("size", c_uint32), ("confounds_have_cosines", c_int32), ("detrend", c_char_p),
                ("standardize", c_char_p), ("cosine_s", c_double), ("low_hz", c_double),
                ("high_hz", c_double), ("confounds", c_void_p), ("n_confounds", c_size_t),
                ("censored", c_void_p)]


class TrainOptions(ctypes.Structure):
    _fields_ = [("size", c_uint32), ("safeguard", c_int32), ("schedule", c_char_p),
                ("optimiser", c_char_p), ("max_iter", c_uint64), ("batch", c_uint64),
                ("seed", c_uint32), ("reserved", c_uint32), ("targets", POINTER(Array))]


class Noise(ctypes.Structure):
    _fields_ = [("size", c_uint32), ("is_diagonal", c_int32), ("covariance", c_void_p),
                ("sensor", c_void_p), ("projections", c_void_p), ("n", c_size_t),
                ("n_projections", c_size_t)]


class Forward(ctypes.Structure):
    _fields_ = [("size", c_uint32), ("orientation", c_int32), ("gain", c_void_p),
                ("normals", c_void_p), ("whitener", c_void_p), ("n_sensors", c_size_t),
                ("n_positions", c_size_t), ("rank", c_size_t), ("loose", c_double),
                ("depth", c_double)]


class SourcesInput(ctypes.Structure):
    _fields_ = [("gain", c_void_p), ("data", c_void_p), ("n_sensors", c_size_t),
                ("n_positions", c_size_t), ("n_orient", c_size_t), ("n_time", c_size_t)]


class SourcesResult(ctypes.Structure):
    _fields_ = [("size", c_uint32), ("converged", c_int32), ("alpha", c_double),
                ("alpha_max", c_double), ("objective", c_double), ("relative_gap", c_double),
                ("n_active", c_size_t), ("position", POINTER(c_size_t)), ("x", POINTER(c_double)),
                ("bias", POINTER(c_double))]


#: taut_result, one a series
RESULT = np.dtype([("status", "i4"), ("reserved", "i4"), ("lambda", "f8"), ("lambda_max", "f8"),
                   ("objective", "f8"), ("duality_gap", "f8"), ("relative_gap", "f8"),
                   ("n_jumps", "u8"), ("iterations", "u8")])

TELL = ctypes.CFUNCTYPE(None, c_void_p, c_char_p)

_ERROR, _HOST, _ARRAY, _OPTIONS = POINTER(Error), POINTER(Host), POINTER(Array), POINTER(Options)

# name: (what it returns, what it takes)
_FUNCTIONS: dict[str, tuple[Any, list[Any]]] = {
    "taut_version": (c_char_p, []),
    "taut_api_version": (c_uint32, []),
    "taut_names": (c_char_p, [c_char_p, c_size_t]),
    "taut_host_init": (None, [_HOST]),
    "taut_options_init": (None, [_OPTIONS]),
    "taut_vjp_init": (None, [POINTER(Vjp)]),
    "taut_clean_options_init": (None, [POINTER(CleanOptions)]),
    "taut_train_options_init": (None, [POINTER(TrainOptions)]),
    "taut_hrf": (c_int, [c_char_p, c_double, c_void_p, POINTER(c_size_t), _ERROR]),
    "taut_problem_tv_filter": (c_void_p, [c_void_p, c_size_t, c_size_t, c_int, _ERROR]),
    "taut_problem_matrix": (c_void_p, [c_int, c_void_p, c_size_t, c_size_t, _ERROR]),
    "taut_problem_shape": (None, [c_void_p, POINTER(c_size_t), POINTER(c_size_t)]),
    "taut_problem_free": (None, [c_void_p]),
    "taut_solve": (c_int, [c_void_p, _OPTIONS, _HOST, _ARRAY, c_void_p, _ARRAY, c_void_p, _ERROR]),
    "taut_path": (c_int, [c_void_p, _HOST, _ARRAY, c_void_p, _ARRAY, c_void_p, _ERROR]),
    "taut_certify": (c_int, [c_void_p, _OPTIONS, _HOST, _ARRAY, _ARRAY, c_void_p, c_void_p,
                             _ERROR]),
    "taut_prox_tv": (c_int, [_HOST, _ARRAY, c_void_p, _ARRAY, _ERROR]),
    "taut_prox_tv_vjp": (c_int, [_HOST, _ARRAY, c_void_p, _ARRAY, _ARRAY, c_void_p, _ERROR]),
    "taut_solve_vjp": (c_int, [c_void_p, _HOST, POINTER(Vjp), _ERROR]),
    "taut_clean": (c_int, [POINTER(CleanOptions), c_double, _HOST, _ARRAY, _ERROR]),
    "taut_network_new": (c_void_p, [c_char_p, c_size_t, c_void_p, _ERROR]),
    "taut_network_parse": (c_void_p, [c_char_p, c_size_t, c_void_p, _ERROR]),
    "taut_network_write": (c_int, [c_void_p, POINTER(c_void_p), POINTER(c_size_t), _ERROR]),
    "taut_network_with": (c_void_p, [c_void_p, c_void_p, c_size_t, _ERROR]),
    "taut_network_parameters": (c_size_t, [c_void_p, c_void_p]),
    "taut_network_apply": (c_int, [c_void_p, _OPTIONS, _HOST, _ARRAY, c_void_p, _ARRAY, c_void_p,
                                   _ERROR]),
    "taut_network_apply_vjp": (c_int, [c_void_p, _OPTIONS, _HOST, POINTER(Vjp), _ERROR]),
    "taut_train": (c_void_p, [c_void_p, POINTER(TrainOptions), _HOST, _ARRAY, c_void_p, _ERROR]),
    "taut_network_free": (None, [c_void_p]),
    "taut_whitener": (c_int, [POINTER(Noise), c_void_p, POINTER(c_size_t), _ERROR]),
    "taut_gain": (c_int, [POINTER(Forward), _HOST, c_void_p, c_void_p, c_void_p, _ERROR]),
    "taut_sources": (c_int, [c_char_p, POINTER(SourcesInput), c_double, c_double, _HOST,
                             POINTER(SourcesResult), _ERROR]),
    "taut_sources_debias": (c_int, [POINTER(SourcesInput), POINTER(SourcesResult), _ERROR]),
    "taut_sources_clear": (None, [POINTER(SourcesResult)]),
    "taut_free": (None, [c_void_p]),
}


def _candidates() -> Iterator[str]:
    """Where the library may be, the first choice first."""
    package = pathlib.Path(__file__).resolve().parent
    yield str(package.parent / ".taut.mesonpy.libs" / "libtaut.so")  # a wheel brings it
    tree = package.parent.parent
    if (tree / "lib" / "taut.h").is_file():  # a source tree, built by ./setup
        yield str(tree / "build" / "lib" / SONAME)
    try:
        from ._installed import LIBRARY  # by meson install
        yield LIBRARY
    except ImportError:
        pass
    yield SONAME  # where the system looks


def _load() -> ctypes.CDLL:
    asked = os.environ.get("TAUT_LIBRARY")
    tried = []
    for path in [asked] if asked else _candidates():
        if os.path.isabs(path) and not os.path.exists(path):
            tried.append(f"{path}: no such file")
            continue
        try:
            return ctypes.CDLL(path)
        except OSError as why:
            tried.append(str(why))
    raise LibraryNotFoundError(
        f"libtaut: expected {'TAUT_LIBRARY to name it' if asked else 'it built by ./setup or installed'}"
        f", found none ({'; '.join(tried)})")


def _declare(library: ctypes.CDLL) -> ctypes.CDLL:
    try:
        library.taut_api_version.restype = c_uint32
        found = library.taut_api_version()
        if found >> 16 != API_MAJOR or found & 0xffff < API_MINOR:
            raise LibraryNotFoundError(
                f"{library._name}: expected interface {API_MAJOR}.{API_MINOR} or a later one of "
                f"{API_MAJOR}, found {found >> 16}.{found & 0xffff}")
        for name, (result, arguments) in _FUNCTIONS.items():
            function = getattr(library, name)
            function.restype, function.argtypes = result, arguments
    except AttributeError as why:
        raise LibraryNotFoundError(f"{library._name}: expected libtaut, found no {why}") from None
    return library


lib = _declare(_load())


def fail(error: Error) -> None:
    """Raises what a taut_error tells."""
    raise BY_CODE.get(error.code, InvalidValueError)(error.message.decode("utf-8", "replace"))


class Handle:
    """Something that the library built. It lives until the last call that uses it returns."""

    __slots__ = ("pointer", "_free", "_keeps")

    def __init__(self, pointer: int, free: Callable[[int], None], *keeps: Any) -> None:
        self.pointer = pointer
        self._free = free
        self._keeps = keeps

    def __del__(self) -> None:
        self._free(self.pointer)


class Closable:
    """What holds a handle until it is closed: with statements, and calls on what is closed."""

    _kind = ""  # what it is, in messages
    _closable: Optional[Handle] = None

    @property
    def _handle(self) -> Handle:
        if self._closable is None:
            raise InvalidValueError(f"{self._kind}: expected an open one, found one that was closed")
        return self._closable

    def close(self) -> None:
        """Frees it, once the calls that use it have returned. It cannot be used any more."""
        self._closable = None

    def __enter__(self) -> Any:
        return self

    def __exit__(self, *_: Any) -> None:
        self.close()


class Call:
    """One call of the library: its threads, its error, and what stops it."""

    __slots__ = ("host", "error", "_stop", "keeps")

    def __init__(self, n_jobs: Optional[int], *keeps: Any) -> None:
        self._stop = c_int32(0)
        self.error = Error()
        self.host = Host(ctypes.sizeof(Host), threads_of(n_jobs), 0, None, None, None,
                         ctypes.addressof(self._stop))
        self.keeps = keeps

    def __call__(self, work: float, function: Callable[..., Any], *arguments: Any) -> Any:
        """function(*arguments), the last of which is the error; raises what it tells.

        The main thread is where signals arrive, and Python sees them between calls only. So where
        there is much work, it is done on another thread, and this one waits.
        """
        if work < SHORT_WORK or threading.current_thread() is not threading.main_thread():
            result = function(*arguments, self.error)
        else:
            result = self._aside(function, arguments)
        if function.restype is c_int:
            if result != 0:
                fail(self.error)
        elif result is None:
            fail(self.error)
        return result

    def _aside(self, function: Callable[..., Any], arguments: tuple[Any, ...]) -> Any:
        done = _thread.allocate_lock()
        done.acquire()
        results: list[Any] = []

        def run() -> None:
            # `self` and the arguments keep all arrays until the library has let go of them.
            try:
                results.append(function(*arguments, self.error))
            finally:
                done.release()

        try:
            _thread.start_new_thread(run, ())
            done.acquire()
        except BaseException:
            self._stop.value = 1
            done.acquire(timeout=PATIENCE_S)
            raise
        return results[0]


def threads_of(n_jobs: Optional[int]) -> int:
    """Threads as joblib counts them: None is 1, -1 all CPUs, -2 all but one."""
    if n_jobs is None:
        return 1
    if isinstance(n_jobs, bool) or not isinstance(n_jobs, (int, np.integer)):
        raise InvalidTypeError(f"n_jobs: expected a whole number, found {shown(n_jobs)}")
    if n_jobs == 0 or n_jobs > 4096:
        raise InvalidValueError("n_jobs: expected 1 to 4096, -1 or less, found "
                                f"{shown(n_jobs)}")
    if n_jobs == -1:
        return 0
    if n_jobs < 0:
        return max(1, len(os.sched_getaffinity(0)) + 1 + int(n_jobs))
    return int(n_jobs)


def shown(value: Any) -> str:
    """A value in a message."""
    try:
        return repr(value)[:80].replace("\n", " ")
    except Exception:
        return f"a {type(value).__name__}"


def text_of(value: Any, name: str) -> bytes:
    """A name for the library."""
    if not isinstance(value, str):
        raise InvalidTypeError(f"{name}: expected a text, found {shown(value)}")
    if "\0" in value:
        raise InvalidValueError(f"{name}: expected a text without NUL, found {shown(value)}")
    try:
        return value.encode()
    except UnicodeEncodeError:
        raise InvalidValueError(f"{name}: expected a text of Unicode, found {shown(value)}") from None


def real_of(value: Any, name: str) -> float:
    """A real number."""
    if isinstance(value, (str, bytes)) or value is None:
        raise InvalidTypeError(f"{name}: expected a number, found {shown(value)}")
    try:
        return float(value)
    except Exception:
        raise InvalidTypeError(f"{name}: expected a number, found {shown(value)}") from None


def count_of(value: Any, name: str, least: int = 0) -> int:
    """A whole number of at least `least` that a size_t holds."""
    try:
        if isinstance(value, bool):
            raise TypeError
        number = operator.index(value)
    except Exception:
        raise InvalidTypeError(f"{name}: expected a whole number, found {shown(value)}") from None
    if number < least or number >= 1 << 62:
        raise InvalidValueError(f"{name}: expected a whole number of at least {least}, "
                                f"found {number}")
    return number


def numbers(value: Any, name: str) -> np.ndarray:
    """An array of real numbers: float64 and float32 as they are, others as float64."""
    try:
        array = value if isinstance(value, np.ndarray) else np.asarray(value)
    except MemoryError:
        raise
    except Exception:
        raise InvalidTypeError(f"{name}: expected numbers, found {type(value).__name__}") from None
    if hasattr(value, "mask") and np.ma.is_masked(value):
        raise InvalidValueError(f"{name}: expected an array without masked entries")
    kind = array.dtype.kind
    if kind == "c":
        raise InvalidValueError(f"{name}: Complex data not supported: expected real numbers, "
                                f"found {array.dtype}")
    if kind == "O":
        try:
            return array.astype(np.float64)
        except (TypeError, ValueError) as why:
            raise InvalidTypeError(f"{name}: expected numbers, found objects: {why}") from None
    if kind not in "fiub":
        raise InvalidTypeError(f"{name}: expected real numbers, found {array.dtype}")
    if array.dtype == np.float64 or array.dtype == np.float32:
        if array.dtype.isnative and array.flags.aligned:
            return array
        return array.astype(array.dtype.newbyteorder("="))
    return array.astype(np.float64)


def vector(value: Any, name: str, n: Optional[int] = None) -> np.ndarray:
    """A contiguous float64 vector; of n entries, to which a number is repeated."""
    found = numbers(value, name)
    if n is not None and found.ndim == 0:
        return np.full(n, found, dtype=np.float64)
    if found.ndim != 1:
        raise InvalidValueError(f"{name}: expected a vector, found an array of shape {found.shape}")
    if n is not None and found.shape[0] != n:
        raise InvalidValueError(f"{name}: expected {n} numbers, found {found.shape[0]}")
    return np.ascontiguousarray(found, dtype=np.float64)


def series(value: Any, name: str) -> tuple[np.ndarray, bool]:
    """(n_series x n_samples as the library can read it, whether a vector was given)."""
    found = numbers(value, name)
    if found.ndim not in (1, 2):
        raise InvalidValueError(f"{name}: expected series as rows, found an array of shape "
                                f"{found.shape}")
    # Repeated by a stride of zero, or within records: such places are read from a copy.
    if any(n > 1 and (step == 0 or step % found.itemsize)
           for n, step in zip(found.shape, found.strides)):
        found = found.copy()
    return (found[np.newaxis, :], True) if found.ndim == 1 else (found, False)


def address(array: Optional[np.ndarray]) -> Optional[int]:
    """Where the numbers of an array begin; None: NULL."""
    return None if array is None else array.__array_interface__["data"][0]


def view(array: np.ndarray) -> Array:
    """How the library sees a two-dimensional array, of float64 or float32."""
    step = array.itemsize
    rows, columns = array.strides
    return Array(address(array), array.shape[0], array.shape[1], rows // step, columns // step,
                 0 if step == 8 else 1, 0)


def room(shape: tuple[int, ...], dtype: Any = np.float64) -> np.ndarray:
    """Where results go."""
    try:
        return np.empty(shape, dtype=dtype)
    except MemoryError as why:
        raise OutOfMemoryError(f"memory: {why}") from None


def output(out: Optional[np.ndarray], shape: tuple[int, int], x: np.ndarray,
           name: str = "out") -> np.ndarray:
    """The array that a caller gave for results, or a new one of the type of x."""
    if out is None:
        return room(shape, x.dtype)
    if not isinstance(out, np.ndarray) or out.dtype not in (np.float64, np.float32) \
            or not out.dtype.isnative or not out.flags.aligned:
        raise InvalidTypeError(f"{name}: expected an array of float64 or float32")
    if out.shape != shape or not out.flags.writeable:
        raise InvalidValueError(f"{name}: expected a writeable array of shape {shape}, "
                                f"found one of {out.shape}")
    if np.may_share_memory(out, x):
        raise InvalidValueError(f"{name}: expected an array that does not overlap the data")
    return out


def options_of(method: Any = "exact", rule: Any = "fixed", tol: Any = 1e-6,
               max_iter: Any = 100000) -> Options:
    """The options of a call, to be read only."""
    if type(method) is str and type(rule) is str and type(tol) is float and type(max_iter) is int:
        return _cached_options(method, rule, tol, max_iter)
    return _make_options(method, rule, tol, max_iter)


def _make_options(method: Any, rule: Any, tol: Any, max_iter: Any) -> Options:
    return Options(ctypes.sizeof(Options), 1, text_of(method, "method"), text_of(rule, "rule"),
                   real_of(tol, "tol"), count_of(max_iter, "max_iter"), 0, 0.0)


_cached_options = functools.lru_cache(maxsize=64)(_make_options)


def names(of: str) -> list[str]:
    """The names of "tv-methods", "lasso-methods", "hrf", "networks" or "rules"."""
    kind = text_of(of, "of")
    found: list[str] = []
    while (name := lib.taut_names(kind, len(found))) is not None:
        found.append(name.decode())
    if not found:
        raise InvalidValueError("of: expected tv-methods, lasso-methods, hrf, networks or rules, "
                                f"found {of:.80}")
    return found
