"""Checklists of reporting quality, and which of their items an analysis answers by itself."""

from lnm_kit.reporting.checklist import (
    ANSWERED,
    ANSWERS,
    CHECKLISTS,
    MISSING,
    PEOPLE,
    TO_SHARE,
    Checklist,
    Item,
    fill,
    read_checklist,
)

__all__ = [
    "ANSWERED",
    "ANSWERS",
    "CHECKLISTS",
    "MISSING",
    "PEOPLE",
    "TO_SHARE",
    "Checklist",
    "Item",
    "fill",
    "read_checklist",
]
