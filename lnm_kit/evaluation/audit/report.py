"""A report of the audit: summary, Markdown, JSON."""

import json

import pandas as pd

from lnm_kit.evaluation.audit.finding import CANNOT, VERDICTS

CAREFUL = (
    "That a number cannot be obtained from the stated counts does not tell why: a slip of the "
    "pen, another set of cases, averages over folds, another rule of rounding."
)
"""What every report says of itself."""


def summary(report: pd.DataFrame) -> pd.DataFrame:
    """Count the verdicts of each check of each paper.

    Parameters
    ----------
    report
        Of :func:`audit`, or several of them one below the other.

    Returns
    -------
    DataFrame
        Columns `paper`, `check`, `checks` and one for each verdict.
    """
    counted = pd.crosstab(
        [report["paper"], report["check"]], report["verdict"], dropna=False
    ).reindex(columns=list(VERDICTS), fill_value=0)
    counted.insert(0, "checks", counted.sum(axis=1))
    counted = counted[counted["checks"] > 0]
    order = list(dict.fromkeys(zip(report["paper"], report["check"], strict=True)))
    return counted.loc[order].reset_index().rename_axis(None, axis=1)


def to_markdown(report: pd.DataFrame) -> str:
    """Write a report as Markdown: what cannot be obtained in full, the rest as counts.

    Parameters
    ----------
    report
        Of :func:`audit`.
    """
    lines = []
    for paper, part in report.groupby("paper", sort=False):
        lines += [f"# {paper}", "", _line(part), "", CAREFUL, ""]
        missed = part[part["verdict"] == CANNOT]
        for table, rows in missed.groupby("table", sort=False):
            lines += [f"## {table}", ""]
            lines += [
                f"- **{row.row}** ({row.check}): cannot be obtained: {row.details}."
                for row in rows.itertuples()
            ]
            lines += [""]
        lines += ["## All checks", "", "| check | checks | " + " | ".join(VERDICTS) + " |"]
        lines += ["|---|---|" + "---|" * len(VERDICTS)]
        lines += [
            "| " + " | ".join(str(cell) for cell in row[1:]) + " |"
            for row in summary(part).itertuples(index=False)
        ]
        lines += [""]
    return "\n".join(lines)


def to_json(report: pd.DataFrame) -> str:
    """Write a report as JSON: a list with one object a check."""
    return json.dumps(report.to_dict(orient="records"), ensure_ascii=False, indent=2) + "\n"


def _line(part: pd.DataFrame) -> str:
    counts = part["verdict"].value_counts()
    said = ", ".join(f"{counts.get(verdict, 0)} {verdict}" for verdict in VERDICTS)
    return f"{len(part)} checks: {said}."
