"""The papers' numbers, as printed, with a note wherever a paper contradicts itself."""

from lnm_kit.published.printed import (
    Count,
    MeanSd,
    Number,
    Quartiles,
    parse_count,
    parse_mean_sd,
    parse_number,
    parse_quartiles,
)
from lnm_kit.published.study import (
    published,
    published_counts,
    published_mean_sd,
    published_notes,
    published_quartiles,
    published_splits,
    published_studies,
    published_table,
)

__all__ = [
    "Count",
    "MeanSd",
    "Number",
    "Quartiles",
    "parse_count",
    "parse_mean_sd",
    "parse_number",
    "parse_quartiles",
    "published",
    "published_counts",
    "published_mean_sd",
    "published_notes",
    "published_quartiles",
    "published_splits",
    "published_studies",
    "published_table",
]
