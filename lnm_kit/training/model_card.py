"""What is written beside trained networks: where they come from, how good they are, for what."""

import re
import tomllib
from collections.abc import Iterable
from typing import Annotated, Any, Literal

import tomli_w
from pydantic import Field, StringConstraints

from lnm_kit.training.model_forms import CardPart, Form, SidePx, Word

NOT_CLINICAL = "For research and teaching. Not for clinical use."
INTENDED_USE = (
    "Repeating and checking the chapter's results, and comparing with other methods on cohorts of "
    "the same form. The probabilities are those of the training cohort's prevalence, scanners and "
    "outlines; on other patients they have to be checked, and calibrated, first."
)
SIMULATED = "The cohort is simulated: the networks have seen no patient, and know nothing of one."

Line = Annotated[str, StringConstraints(min_length=1, max_length=10_000)]


class CohortOfModel(CardPart):
    """The cohort that a model was trained and measured on; `digest` identifies its content.

    `label` is the column of ``cases.csv`` that was learned.
    """

    name: Line
    digest: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
    endpoint: Line
    positive: Line
    label: Word = "label"
    simulated: bool
    modalities: Annotated[list[Word], Field(min_length=1)]


class SplitOfModel(CardPart):
    """How many cases a split has, and how many of them are positive."""

    split: Word
    cases: Annotated[int, Field(ge=0)]
    positive: Annotated[int, Field(ge=0)]


class MetricOfModel(CardPart):
    """One number with its 95 % interval; without a value where it is undefined."""

    split: Line
    metric: Line
    value: float | None = None
    lo: float | None = None
    hi: float | None = None
    method: str


class NetworkOfModel(CardPart):
    """One safetensors file by its SHA-256, and the gray values (mean, SD) that it expects."""

    sha256: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
    mean: list[float]
    sd: list[float]


class ModelCard(CardPart):
    """Everything that is needed to use trained networks, and to judge them.

    The probability of a case is the mean over the networks. Regions are squares of
    `image_size_px` around the mask; what else is read of a case, `form` tells.
    """

    format: Literal[2] = 2
    name: Line
    chapter: Word
    architecture: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_.]{1,100}$")]
    image_size_px: SidePx
    form: Form
    each_network: Line
    threshold: Annotated[float, Field(ge=0, le=1)]
    threshold_from: Line
    networks: Annotated[list[NetworkOfModel], Field(min_length=1, max_length=100)]
    cohort: CohortOfModel
    splits: list[SplitOfModel]
    parameters: dict[str, Any]
    metrics: list[MetricOfModel]
    versions: dict[str, str]

    def to_toml(self) -> str:
        """Return the card as TOML, which `from_toml` reads."""
        return tomli_w.dumps(self.model_dump(exclude_none=True))

    @classmethod
    def from_toml(cls, text: str) -> "ModelCard":
        """Read a card.

        Raises
        ------
        ValueError
            Not TOML, or not a card (`pydantic.ValidationError`).
        """
        return cls.model_validate(tomllib.loads(text))

    def to_markdown(self) -> str:
        """Return the card for people; names that come from a cohort are shown as plain text."""
        cohort = self.cohort
        spread = [f"{_numbers(each.mean)} / {_numbers(each.sd)}" for each in self.networks]
        known = self.form.facts(self.architecture, self.image_size_px)
        known["Networks"] = f"{len(self.networks)} x {known['Networks']}; {self.each_network}"
        facts = [
            ("Chapter", self.chapter),
            *known.items(),
            ("Gray values", f"mean / SD of the training cases: {'; '.join(dict.fromkeys(spread))}"),
            ("Threshold", f"{self.threshold:.4f}, {self.threshold_from}"),
        ]
        lines = [f"# Model card: {plain(self.name)}", "", f"**{NOT_CLINICAL}**", ""]
        lines += [SIMULATED, ""] if cohort.simulated else []
        lines += ["## Intended use", "", INTENDED_USE, "", "## Model", ""]
        lines += _table(["", ""], facts)
        lines += ["", "## Cohort", ""]
        lines += _table(
            ["", ""],
            [
                ("Name", cohort.name),
                ("Endpoint", cohort.endpoint),
                ("Label 1 means", cohort.positive),
                ("Column learned", cohort.label),
                ("Images", ", ".join(cohort.modalities)),
                ("Content (SHA-256)", cohort.digest),
            ],
        )
        lines += ["", "## Splits", ""]
        lines += _table(
            ["Split", "Cases", "Positive"],
            [(each.split, each.cases, each.positive) for each in self.splits],
        )
        lines += ["", "## Metrics, with 95 % intervals", ""]
        lines += _table(
            ["Split", "Metric", "Value", "Interval by"],
            [(each.split, each.metric, _estimate(each), each.method) for each in self.metrics],
        )
        lines += ["", "## Parameters", ""]
        lines += _table(["", ""], [*self.parameters.items(), *self.versions.items()])
        return "\n".join(lines) + "\n"


def plain(text: object) -> str:
    r"""Return a text that Markdown shows as it is: no tags, links, emphasis or table cells in it.

    Examples
    --------
    >>> plain("a <b> | [c](d)")
    'a &lt;b&gt; \\| \\[c\\](d)'
    """
    one_line = " ".join(str(text).split())
    tagless = one_line.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return re.sub(r"([\\`*_\[\]|!#])", r"\\\1", tagless)


def _table(header: Iterable[str], rows: Iterable[Iterable[object]]) -> list[str]:
    names = list(header)
    lines = [f"| {' | '.join(names)} |", f"|{'---|' * len(names)}"]
    return lines + [f"| {' | '.join(plain(cell) for cell in row)} |" for row in rows]


def _estimate(row: MetricOfModel) -> str:
    if row.value is None:
        return "undefined"
    interval = "" if row.lo is None or row.hi is None else f" ({row.lo:.3f} to {row.hi:.3f})"
    return f"{row.value:.3f}{interval}"


def _numbers(values: Iterable[float]) -> str:
    return ", ".join(f"{value:.3f}" for value in values)
