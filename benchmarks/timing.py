"""Times of calls that take turns, so that other load on the machine falls on all of them."""

import statistics
import time
from collections.abc import Callable, Mapping


def alternate(
    calls: Mapping[str, Callable[[], object]],
    *,
    rounds: int,
    clock: Callable[[], float] = time.process_time,
    warm_up: Mapping[str, Callable[[], object]] | None = None,
) -> dict[str, list[float]]:
    """Seconds of every call in every round; before them, `warm_up` or each call runs once."""
    for call in (calls if warm_up is None else warm_up).values():
        call()
    taken: dict[str, list[float]] = {name: [] for name in calls}
    for _ in range(rounds):
        for name, call in calls.items():
            start = clock()
            call()
            taken[name].append(clock() - start)
    return taken


def row(
    what: str,
    tool: str,
    seconds: list[float],
    *,
    peer: str = "",
    peer_seconds: list[float] | None = None,
    note: str = "",
) -> dict:
    """One line of the table: medians, and the median ratio with its range over the rounds."""
    found = {
        "what": what,
        "tool": tool,
        "seconds": _rounded(statistics.median(seconds)),
        "rounds": len(seconds),
        "note": note,
    }
    if not peer_seconds:
        return found | {"peer": peer}
    ratios = [other / own for own, other in zip(seconds, peer_seconds, strict=True)]
    return found | {
        "peer": peer,
        "peer_seconds": _rounded(statistics.median(peer_seconds)),
        "ratio": _rounded(statistics.median(ratios)),
        "ratio_low": _rounded(min(ratios)),
        "ratio_high": _rounded(max(ratios)),
    }


def missing(what: str, peer: str) -> dict:
    """The line of a peer that is not installed."""
    return {"what": what, "tool": "", "peer": peer, "note": "not installed"}


def _rounded(value: float) -> float:
    return float(f"{value:.4g}")
