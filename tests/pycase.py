# SPDX-License-Identifier: BSD-3-Clause
"""What tests of the Python package share: numpy, or a reason why there is none; sanitizers; and
`run` of cli.py. The program is the first argument, TAUT_LIBRARY names the library.
"""
import os
import subprocess
import sys

import cli


def skip_all(reason):
    print(f"# skipped: {reason}")
    print(f"1..0 # SKIP {reason}")
    sys.exit(0)


def preload_sanitizer():
    """The interpreter is not sanitized: the run-time library has to be loaded before it."""
    if cli.SANITIZER == "none" or "LD_PRELOAD" in os.environ:
        return
    if "address" not in cli.SANITIZER:
        skip_all(f"the sanitizer {cli.SANITIZER} needs an interpreter of its own")
    library = subprocess.run(["gcc", "-print-file-name=libasan.so"], capture_output=True,
                             check=False, text=True).stdout.strip()
    if not os.path.isabs(library):
        skip_all("libasan.so is not there to be loaded first")
    options = os.environ.get("ASAN_OPTIONS", "") + ":detect_leaks=0:allocator_may_return_null=1"
    os.execve(sys.executable, [sys.executable, *sys.argv],
              dict(os.environ, LD_PRELOAD=library, ASAN_OPTIONS=options))


preload_sanitizer()
try:
    import numpy as np
except ImportError:
    skip_all("python3-numpy is absent")

import taut  # noqa: E402


def noisy(n_series, n_time, seed=0):
    """Series of a few blocks seen through SPM's response, with noise: n_series x n_time."""
    rng = np.random.default_rng(seed)
    u = np.zeros((n_time, n_series))
    for v in range(n_series):
        begin = rng.integers(0, n_time // 2)
        u[begin:begin + n_time // 4, v] = rng.uniform(0.5, 2.0)
    x = taut.convolve(taut.hrf("spm", 2.0), u) + 0.2 * rng.standard_normal(u.shape)
    return np.ascontiguousarray(x.T)


def need(module):
    """A module, or the test is skipped."""
    try:
        return __import__(module, fromlist=["x"])
    except ImportError:
        raise cli.Skip(f"python3-{module.split('.')[0]} is absent") from None


def raises(kind, says, call, *arguments, **options):
    """The call must end with this exception and with this in its text."""
    try:
        call(*arguments, **options)
    except kind as error:
        text = str(error)
        assert says in text, f"{says!r} is not in {text!r}"
        return text
    raise AssertionError(f"no {kind.__name__}: {getattr(call, '__name__', call)} {arguments}")
