"""What averages of rates over folds can be, when the counts in the folds are unknown."""

from collections.abc import Mapping

from lnm_kit.evaluation.audit.printed_range import Range


def average_bounds(name: str, printed: Mapping[str, Range]) -> Range | None:
    r"""Bounds of a rate averaged over folds, from the other averages of the same row.

    Averages over folds are no fractions of the total counts. These hold whatever the folds are,
    with averages S of sensitivity, T of specificity, P of PPV:

    * balanced accuracy = (S + T) / 2 and Youden's index = S + T - 1, being linear;
    * max(0, S + T - 1) <= accuracy <= min(1, S + T), since in every fold accuracy lies between
      sensitivity and specificity;
    * max(0, S + P - 1) <= F1 <= 2 S P / (S + P): in every fold F1 is the harmonic mean of
      sensitivity and PPV, a concave function, so Jensen's inequality gives the upper bound.

    With folds of known sizes more can be said; the library *mlscorecheck* does.

    Parameters
    ----------
    name
        A rate.
    printed
        Name of a rate to the range that its printed cell stands for.

    Returns
    -------
    Range or None
        None where the others say nothing.

    Notes
    -----
    *Source*: Jensen's inequality; Fazekas and Kovács, arXiv:2310.12527 (2023), on folds.

    Examples
    --------
    >>> exact = {name: Range(x, x) for name, x in {"sensitivity": 0.6, "ppv": 0.4}.items()}
    >>> found = average_bounds("f1", exact)
    >>> round(found.lo, 2), round(found.hi, 2)
    (0.0, 0.48)
    """
    sensitivity, specificity = printed.get("sensitivity"), printed.get("specificity")
    if name == "f1" and sensitivity and (ppv := printed.get("ppv")):
        return Range(max(0.0, sensitivity.lo + ppv.lo - 1), _harmonic(sensitivity.hi, ppv.hi))
    if sensitivity is None or specificity is None:
        return None
    low, high = sensitivity.lo + specificity.lo, sensitivity.hi + specificity.hi
    if name == "balanced_accuracy":
        return Range(low / 2, high / 2)
    if name == "youden":
        return Range(low - 1, high - 1)
    if name == "accuracy":
        return Range(max(0.0, low - 1), min(1.0, high))
    return None


def _harmonic(a: float, b: float) -> float:
    return 2 * a * b / (a + b) if a + b > 0 else 0.0
