"""What a run would do: checked parameters, cohort and notebook, before anything starts."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lnm_kit.errors import InputError
from lnm_kit.runs.folder import file_digest, find_same_run
from lnm_kit.runs.notebook import code_of, imported_code_digest, notebook_identity, read_notebook
from lnm_kit.runs.parameters import check_parameters
from lnm_kit.runs.preconditions import check_preconditions
from lnm_kit.runs.schemas import CommonParameters


@dataclass(frozen=True)
class RunPlan:
    """One run that could be started as it stands.

    ``given`` differs from the chapter's defaults and is injected; ``recorded`` holds all values,
    those of the profile filled in. ``identity`` is a digest of the cells, these values, the cohort
    and the package's code: runs that share it give the same results. ``cohort_digest`` is None
    where the run simulates its cohort.
    """

    chapter: str
    notebook: Path
    given: dict[str, Any]
    recorded: dict[str, Any]
    identity: str
    cohort_digest: str | None

    def earlier_run(self, root: Path) -> Path | None:
        """Return the newest good run of the same identity below ``root/runs``."""
        return find_same_run(self.chapter, self.identity, root)


@dataclass
class Planner:
    """Makes plans; what several of them share (cohort, code) is looked at once.

    Parameters
    ----------
    root
        The folder of the book.
    """

    root: Path
    _cohorts: dict[tuple[object, ...], str | None] = field(default_factory=dict)
    _code: dict[Path, str] = field(default_factory=dict)

    def plan(self, chapter: str, values: Mapping[str, Any]) -> RunPlan:
        """Check the parameters, the notebook and the cohort of one run.

        Raises
        ------
        InputError
            When the chapter, a parameter, the cohort or the weights are wrong.
        """
        parameters = check_parameters(chapter, values)
        notebook = chapter_notebook(chapter, self.root)
        if notebook not in self._code:
            self._code[notebook] = imported_code_digest(code_of(read_notebook(notebook)))
        cohort = self._cohort_digest(parameters)
        recorded = parameters.resolved().model_dump()
        data = [part for part in (cohort, _weights_digest(parameters.weights)) if part]
        return RunPlan(
            chapter=chapter,
            notebook=notebook,
            given=parameters.given(),
            recorded=recorded,
            identity=notebook_identity(
                notebook, recorded, "\0".join(data), code_digest=self._code[notebook]
            ),
            cohort_digest=cohort,
        )

    def _cohort_digest(self, parameters: CommonParameters) -> str | None:
        network = getattr(parameters.resolved(), "network", None)
        key = (parameters.cohort, parameters.device, parameters.weights, network)
        if key not in self._cohorts:
            self._cohorts[key] = check_preconditions(parameters)
        return self._cohorts[key]


def chapter_notebook(chapter: str, root: Path) -> Path:
    """Return the path of a chapter's notebook.

    Raises
    ------
    InputError
        When there is none.
    """
    path = root / "book" / "studies" / f"{chapter}.ipynb"
    if not path.is_file():
        raise InputError(
            f"chapter {chapter!r} has no notebook: {path.relative_to(root)} is missing"
        )
    return path


def _weights_digest(weights: str) -> str | None:
    """Return the digest of a file of weights, None for the named ones."""
    return None if weights in ("none", "imagenet") else file_digest(Path(weights))
