"""One result of the audit."""

from dataclasses import dataclass

CAN = "can be obtained"
CANNOT = "cannot be obtained"
UNCHECKED = "cannot be checked"
VERDICTS = (CAN, CANNOT, UNCHECKED)
"""What the audit says of a number: never that it is wrong, nor why."""


@dataclass(frozen=True)
class Finding:
    """The verdict of one check on one row of a table.

    Parameters
    ----------
    table, row
        Where, in the paper's own words.
    check
        What was checked.
    verdict
        One of `VERDICTS`.
    details
        From what the numbers cannot be obtained, and from what they could be.
    """

    table: str
    row: str
    check: str
    verdict: str
    details: str = ""
