# SPDX-License-Identifier: BSD-3-Clause
"""What can go wrong, each with the text of the library."""
from __future__ import annotations


class TautError(Exception):
    """Base of all errors of the library; its text says what was expected and what was found."""


class UnknownNameError(TautError, ValueError):
    """No such method, rule, response or network."""


class InvalidValueError(TautError, ValueError):
    """An argument outside what is allowed, or one that does not fit the others."""


class InvalidTypeError(TautError, TypeError):
    """An argument of a type that is no number, no array of numbers, or no name."""


class NotApplicableError(TautError, ValueError):
    """Valid, but not for this problem."""


class OutOfMemoryError(TautError, MemoryError):
    """More memory than there is."""


class StoppedError(TautError, RuntimeError):
    """The call was stopped before it was done."""


class NotFittedError(TautError, ValueError, AttributeError):
    """A result was asked for before `fit`."""


class LibraryNotFoundError(TautError, ImportError):
    """libtaut could not be loaded, or is of another version of its interface."""


BY_CODE: dict[int, type[TautError]] = {
    1: UnknownNameError,
    2: InvalidValueError,
    3: NotApplicableError,
    4: OutOfMemoryError,
    5: StoppedError,
}
