"""Errors that were raised in another process: their words are known, their class is not."""

from __future__ import annotations


class RemoteError(Exception):
    """What a function raised elsewhere.

    Attributes
    ----------
    type_name, message
        What Python would show of it.
    line
        Where it was raised, as `describing.code_line` says it; "" if that is not known.
    kinds
        The names of its class and of those above it.

    Examples
    --------
    >>> error = RemoteError("KeyError", "'relu9_9'", kinds=("LookupError", "Exception"))
    >>> error_name(error), is_a(error, LookupError), is_a(error, ValueError)
    ('KeyError', True, False)
    """

    def __init__(
        self, type_name: str, message: str = "", line: str = "", kinds: tuple[str, ...] = ()
    ) -> None:
        super().__init__(message)
        self.type_name, self.message, self.line = type_name, message, line
        self.kinds = (type_name, *kinds)

    def __str__(self) -> str:
        return self.message


def error_name(error: BaseException) -> str:
    """Return the name of an error's class."""
    return error.type_name if isinstance(error, RemoteError) else type(error).__name__


def is_a(error: BaseException, kind: type[BaseException]) -> bool:
    """Tell whether an error is of a kind, as `isinstance` would."""
    if isinstance(error, RemoteError):
        return kind.__name__ in error.kinds
    return isinstance(error, kind)


def same_type(one: BaseException | None, other: BaseException | None) -> bool:
    """Tell whether two errors are of exactly one class, or both None."""
    if isinstance(one, RemoteError) or isinstance(other, RemoteError):
        return one is not None and other is not None and error_name(one) == error_name(other)
    return type(one) is type(other)
