"""Independent references for every statistic of the evaluation package.

`python -m tests.evaluation.references` prints how far each statistic lies from its reference.
"""

from tests.evaluation.references import (
    clinical,
    curves,
    decisions,
    numbers,
    permuted,
    probabilities,
    ranking,
    simulated,
)

REFERENCES = (
    *ranking.ROWS,
    *decisions.ROWS,
    *curves.ROWS,
    *permuted.ROWS,
    *probabilities.ROWS,
    *numbers.ROWS,
    *clinical.ROWS,
)
PROPERTIES = simulated.PROPERTIES
