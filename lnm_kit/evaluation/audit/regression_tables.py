"""The rows of a regression table: coefficient, odds ratio, interval and p against each other."""

from collections.abc import Iterator, Mapping

from lnm_kit.evaluation.audit.finding import CAN, CANNOT, UNCHECKED, Finding
from lnm_kit.evaluation.audit.odds_ratio import odds_ratio_of, wald_center, wald_p
from lnm_kit.evaluation.audit.paper import Table
from lnm_kit.evaluation.audit.printed_range import (
    Range,
    is_missing,
    printed_interval,
    printed_range,
    split_estimate,
)

BETA_CHECK = "coefficient and odds ratio"
CENTER_CHECK = "odds ratio and interval"
P_CHECK = "interval and p"


def check_regression_rows(table: Table) -> Iterator[Finding]:
    """Check every row that prints an odds ratio."""
    profile = table.settings.get("interval", "wald") == "profile"
    for row in table.rows:
        cell, interval = split_estimate(row.get("odds_ratio", ""))
        if "odds_ratio_ci" in row and not is_missing(row["odds_ratio_ci"]):
            interval = row["odds_ratio_ci"]
        if not cell:
            continue
        name, estimate = table.name_of(row), printed_range(cell)
        if not is_missing(row.get("beta", "")):
            yield Finding(table.title, name, BETA_CHECK, *_beta(row["beta"], cell))
        if not interval:
            continue
        lower, upper = printed_interval(interval)
        if lower.lo > upper.hi:
            details = f"the lower end of {interval} lies above the upper one"
            yield Finding(table.title, name, CENTER_CHECK, CANNOT, details)
            continue
        yield Finding(
            table.title, name, CENTER_CHECK, *_center(estimate, cell, lower, upper, profile)
        )
        if not is_missing(row.get("p_value", "")):
            level = float(table.settings.get("level", 0.95))
            verdict = _p(row, estimate, lower, upper, level, profile)
            yield Finding(table.title, name, P_CHECK, *verdict)


def _beta(beta: str, cell: str) -> tuple[str, str]:
    found = odds_ratio_of(printed_range(beta))
    details = f"exp({beta}) is {_span(found)}, printed {cell}"
    return (CAN if found.meets(printed_range(cell)) else CANNOT), details


def _center(
    estimate: Range, cell: str, lower: Range, upper: Range, profile: bool
) -> tuple[str, str]:
    if not (estimate.hi >= lower.lo and estimate.lo <= upper.hi):
        return CANNOT, f"the odds ratio {cell} lies outside its own interval"
    if profile:
        return CAN, "inside its interval, which is said to be no Wald interval"
    found = wald_center(lower, upper)
    if found is None:
        return UNCHECKED, "the lower end is 0 by rounding"
    details = f"the interval is that of an odds ratio of {_span(found)}, printed {cell}"
    return (CAN, details) if found.meets(estimate) else (CANNOT, f"as Wald's: {details}")


def _p(
    row: Mapping[str, str],
    estimate: Range,
    lower: Range,
    upper: Range,
    level: float,
    profile: bool,
) -> tuple[str, str]:
    printed = printed_range(row["p_value"])
    if profile:
        excludes, includes = lower.lo > 1 or upper.hi < 1, lower.hi < 1 < upper.lo
        limit = 1 - level
        wrong = (excludes and printed.lo > limit) or (includes and printed.hi < limit)
        details = f"the interval {'leaves out' if excludes else 'holds'} 1, p is {row['p_value']}"
        return (CANNOT if wrong else CAN), details
    found = wald_p(estimate, lower, upper, level=level)
    if found is None:
        return UNCHECKED, "the lower end is 0 by rounding"
    details = f"the interval belongs to p = {_span(found)}, printed {row['p_value']}"
    return (CAN, details) if found.meets(printed) else (CANNOT, f"as Wald's: {details}")


def _span(found: Range) -> str:
    low, high = f"{found.lo:.4g}", f"{found.hi:.4g}"
    return low if low == high else f"{low} to {high}"
