"""How a comparison of runs looks: rows for the terminal, and one page with the figures."""

import hashlib
import math
from collections.abc import Collection
from pathlib import Path

from markupsafe import Markup

from lnm_kit.runs.compare import Comparison, PairedAuc
from lnm_kit.runs.files import write_text
from lnm_kit.runs.report import folded, heading, page, paragraph, pictures, table
from lnm_kit.runs.summary import NO_MEANING, SIMULATED, show_estimate

RUN_HEADER = ["", "run", "outcome", "profile", "cohort", "code"]
LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
TESTED = (
    "Difference of the AUC to that of run A on the same cases, with 95 % interval and two-sided p "
    "of DeLong's paired test. The p values are not corrected for their number."
)


def letter(number: int) -> str:
    """Return the short name of a run in tables.

    Examples
    --------
    >>> letter(1), letter(27)
    ('B', 'B1')
    """
    turn, place = divmod(number, len(LETTERS))
    return LETTERS[place] + (str(turn) if turn else "")


def run_rows(comparison: Comparison) -> list[list[str]]:
    """Return letter, name, outcome, profile, cohort and code of each run; see `RUN_HEADER`."""
    return [
        [
            letter(number),
            run.name,
            f"{run.outcome} {run.message}".strip(),
            str(run.parameters.get("profile", "")),
            str(run.parameters.get("cohort", SIMULATED)),
            _code(run.record.get("git_revision")),
        ]
        for number, run in enumerate(comparison.runs)
    ]


def parameter_rows(comparison: Comparison) -> list[list[str]]:
    """Return name and value in each run of the parameters that differ."""
    return [
        [name, *("not set" if value is None else str(value) for value in values)]
        for name, values in comparison.parameters
    ]


def metric_rows(
    comparison: Comparison, metric: str, models: Collection[str] = ()
) -> list[list[str]]:
    """Return model, split and the value of each run for one metric, of all models or of some."""
    return [
        [model, split, *(show_estimate(row) for row in rows)]
        for (model, split, name), rows in comparison.metrics.items()
        if name == metric and (not models or model in models)
    ]


def paired_rows(comparison: Comparison) -> list[list[str]]:
    """Return model, split, runs, cases, difference and p of the paired tests."""
    return [
        [
            test.model,
            test.split,
            f"{letter(test.run)} - {letter(0)}",
            str(test.n_cases),
            _difference(test),
            _p_value(test),
        ]
        for test in comparison.tests
    ]


def write_page(comparison: Comparison, path: Path) -> None:
    """Write the comparison as one HTML file with everything in it."""
    letters = [letter(number) for number in range(len(comparison.runs))]
    blocks = [
        table(RUN_HEADER, run_rows(comparison)),
        heading("Parameters that differ"),
        table(["parameter", *letters], parameter_rows(comparison))
        if comparison.parameters
        else paragraph("None."),
        heading("Paired tests"),
        *(paragraph(note) for note in comparison.notes),
    ]
    if any(run.parameters.get("profile") == "smoke" for run in comparison.runs):
        blocks.insert(1, paragraph(NO_MEANING))
    if comparison.tests:
        header = ["model", "split", "runs", "cases", "difference of AUC", "p"]
        blocks += [paragraph(TESTED), table(header, paired_rows(comparison))]
    blocks.append(heading("Metrics, with the interval of each run"))
    metrics = list(dict.fromkeys(metric for _, _, metric in comparison.metrics))
    for metric in sorted(metrics, key=lambda metric: metric != "auc"):
        rows = table(["model", "split", *letters], metric_rows(comparison, metric))
        blocks.append(folded(metric, rows, is_open=metric == "auc"))
    blocks.append(heading("Figures"))
    blocks += [_figure(comparison, name) for name in comparison.figures] or [paragraph("None.")]
    path.parent.mkdir(parents=True, exist_ok=True)
    write_text(path, page("Runs side by side", blocks))


def page_path(comparison: Comparison, root: Path) -> Path:
    """Return where the page goes unless told otherwise: the same for the same runs."""
    names = "\n".join(run.name for run in comparison.runs)
    digest = hashlib.sha256(names.encode()).hexdigest()[:12]
    return root / "runs" / "comparisons" / f"{digest}.html"


def _figure(comparison: Comparison, name: str) -> Markup:
    shown = [
        (f"{letter(number)}: {run.name}", run.figures.get(name))
        for number, run in enumerate(comparison.runs)
    ]
    return folded(name, pictures(shown, name), is_open=name == "roc")


def _code(revision: object) -> str:
    """Shorten a commit, and keep the word that says that files differ from it."""
    commit, _, changes = str(revision or "unknown").partition("+")
    return commit[:9] + (f" + {changes}" if changes else "")


def _difference(test: PairedAuc) -> str:
    if test.test is None:
        return f"no test: {test.reason}"
    difference = test.test.difference
    if math.isnan(difference.lo):
        return f"{difference.value:+.3f} ({difference.method})"
    return f"{difference.value:+.3f} ({difference.lo:+.3f} to {difference.hi:+.3f})"


def _p_value(test: PairedAuc) -> str:
    if test.test is None or math.isnan(test.test.p_value):
        return ""
    return "< 0.001" if test.test.p_value < 0.001 else f"{test.test.p_value:.3f}"
