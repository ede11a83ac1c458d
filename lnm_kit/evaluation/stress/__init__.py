"""Protocols under stress: what they report where the truth is known."""

from lnm_kit.evaluation.stress.attention import AttentionScore, fit_attention, of_patients
from lnm_kit.evaluation.stress.design import (
    Design,
    LinearScore,
    Table,
    draw_patients,
    draw_table,
)
from lnm_kit.evaluation.stress.fitting import fit_score, strongest
from lnm_kit.evaluation.stress.protocols import PROTOCOLS, Outcome
from lnm_kit.evaluation.stress.repeat import CLAIMED_AUC, stress, summarize

__all__ = [
    "CLAIMED_AUC",
    "PROTOCOLS",
    "AttentionScore",
    "Design",
    "LinearScore",
    "Outcome",
    "Table",
    "draw_patients",
    "draw_table",
    "fit_attention",
    "fit_score",
    "of_patients",
    "stress",
    "strongest",
    "summarize",
]
