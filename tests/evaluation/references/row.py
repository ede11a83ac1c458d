"""A row of the reference table: one statistic, one independent reference, the largest gap."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.stats import binom

Pair = tuple[Any, Any]
"""Ours and the reference's, numbers or arrays of the same shape."""


@dataclass(frozen=True)
class Row:
    """What is compared with what, and how far the two may lie apart at most."""

    function: str
    reference: str
    tolerance: float
    compare: Callable[[], Iterator[Pair]]


@dataclass(frozen=True)
class Measured:
    """How many numbers were compared, and the largest absolute difference."""

    count: int
    largest: float


def measure(row: Row) -> Measured:
    """Compare all; infinite or NaN on both sides is no difference, on one side an infinite one."""
    count, largest = 0, 0.0
    for ours, theirs in row.compare():
        found, wanted = np.broadcast_arrays(
            np.asarray(ours, dtype=np.float64), np.asarray(theirs, dtype=np.float64)
        )
        same = (found == wanted) | (np.isnan(found) & np.isnan(wanted))
        with np.errstate(invalid="ignore"):
            gap = np.where(same, 0.0, np.abs(found - wanted))
        count += gap.size
        largest = max(largest, float(np.where(np.isnan(gap), np.inf, gap).max()))
    return Measured(count, largest)


@dataclass(frozen=True)
class Property:
    """A share of simulated draws that theory gives, and how often it was found."""

    claim: str
    aimed_at: float
    draws: int
    count: Callable[[int], int]

    def allowed(self) -> tuple[float, float]:
        """Shares that 99.9 % of such simulations stay between, were the claim true."""
        lo, hi = binom.ppf([0.0005, 0.9995], self.draws, self.aimed_at) / self.draws
        return float(lo), float(hi)


def reference_table(rows: tuple[Row, ...]) -> str:
    """Return the Markdown table of rows, measured now."""
    lines = [
        "| function | reference | numbers compared | maximal absolute difference | tolerance |",
        "|---|---|---:|---:|---:|",
    ]
    for row in rows:
        found = measure(row)
        lines.append(
            f"| {row.function} | {row.reference} | {found.count} | {found.largest:.1e} "
            f"| {row.tolerance:.1e} |"
        )
    return "\n".join(lines)


def property_table(properties: tuple[Property, ...]) -> str:
    """Return the Markdown table of simulated properties, simulated now."""
    lines = [
        "| simulated property | aimed at | draws | found | 99.9 % binomial bounds |",
        "|---|---:|---:|---:|---:|",
    ]
    for claim in properties:
        share = claim.count(claim.draws) / claim.draws
        lo, hi = claim.allowed()
        lines.append(
            f"| {claim.claim} | {claim.aimed_at:g} | {claim.draws} | {share:.4f} "
            f"| {lo:.4f} to {hi:.4f} |"
        )
    return "\n".join(lines)
