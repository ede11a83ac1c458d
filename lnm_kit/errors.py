"""The one exception that tells a user what was wrong with the input."""

from collections.abc import Iterable
from difflib import get_close_matches


class InputError(ValueError):
    """Something the user gave is wrong; the message says what, where, what is allowed, what to do.

    The command line prints the message and exits with 2.
    """


def one_of(name: str, value: object, allowed: Iterable[str]) -> str:
    """Return `value` when it is one of the allowed words, with a did-you-mean otherwise.

    Parameters
    ----------
    name
        What the value is called in the message.
    value
        The value that was given.
    allowed
        The words that are allowed.

    Raises
    ------
    InputError
        When `value` is not among `allowed`.

    Examples
    --------
    >>> one_of("profile", "demo", ["smoke", "demo", "paper"])
    'demo'
    >>> one_of("profile", "dmeo", ["smoke", "demo", "paper"])
    Traceback (most recent call last):
    lnm_kit.errors.InputError: profile is 'dmeo'; allowed: smoke, demo, paper. Did you mean 'demo'?
    """
    words = list(allowed)
    if isinstance(value, str) and value in words:
        return value
    close = get_close_matches(str(value), words, n=1)
    hint = f" Did you mean {close[0]!r}?" if close else ""
    raise InputError(f"{name} is {value!r}; allowed: {', '.join(words)}.{hint}")
