"""The papers' numbers, as printed, with a note wherever a paper contradicts itself."""

from lnm_kit.published.printed import (
    Count,
    MeanSd,
    Number,
    parse_count,
    parse_mean_sd,
    parse_number,
)
from lnm_kit.published.study import (
    published,
    published_counts,
    published_mean_sd,
    published_notes,
    published_splits,
    published_studies,
    published_table,
)

__all__ = [
    "Count",
    "MeanSd",
    "Number",
    "parse_count",
    "parse_mean_sd",
    "parse_number",
    "published",
    "published_counts",
    "published_mean_sd",
    "published_notes",
    "published_splits",
    "published_studies",
    "published_table",
]
