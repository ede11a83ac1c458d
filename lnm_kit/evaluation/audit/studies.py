"""The five studies' published numbers in the form of the audit."""

import tomllib
from collections.abc import Mapping
from importlib.resources import files
from typing import Any

from lnm_kit.errors import one_of
from lnm_kit.evaluation.audit.cells import split_column, unknown_columns
from lnm_kit.evaluation.audit.form import make_paper, table_kind
from lnm_kit.evaluation.audit.paper import Paper
from lnm_kit.published import published

_OWN = ("repeated", "sums", "candidates")


def audited_studies() -> list[str]:
    """Name the studies whose tables are prepared for the audit.

    Examples
    --------
    >>> audited_studies()
    ['ceus', 'clnm', 'dgfnet', 'llnm', 'lvlnm']
    """
    return sorted(_added())


def published_paper(study: str) -> Paper:
    """Give the published numbers of a study the form that the audit reads.

    The tables come from `lnm_kit.published` unchanged; `studies.toml` beside this module adds
    what they do not say of themselves: the split of a table, numbers printed in several places.

    Parameters
    ----------
    study
        One of :func:`audited_studies`.

    Raises
    ------
    InputError
        When there is no such study, or it is not prepared.

    Examples
    --------
    >>> paper = published_paper("llnm")
    >>> paper.name, len(paper.splits)
    ('Feng 2025', 4)
    """
    values = published(one_of("study", study, audited_studies()))
    family = str(values["authors"][0]).split()[-1]
    added = _added().get(study, {})
    # a preprint may have no year
    values |= {"paper": f"{family} {values.get('year', values['journal'])}"} | {
        name: added[name] for name in _OWN if name in added
    }
    for name, part in values.items():
        if isinstance(part, dict) and "rows" in part:
            known = {key: part[key] for key in ("columns", "rows")}
            told = {"audit": True, **added[name]} if name in added else {}
            values[name] = known | _left_alone(known, values["splits"]) | told
    return make_paper(values, source=f"the published numbers of {study}")


def _left_alone(part: Mapping[str, Any], splits: Mapping[str, Any]) -> dict[str, Any]:
    """Leave alone what the audit has no check for, such as a table of features' names."""
    columns, rows = part["columns"], part["rows"]
    if table_kind(columns, splits) is None:
        return {"audit": False}
    told = [name for name in unknown_columns(columns, rows) if split_column(name, splits) is None]
    return {"other": told}


def _added() -> dict[str, Any]:
    path = files("lnm_kit.evaluation.audit") / "studies.toml"
    return tomllib.loads(path.read_text("utf-8"))
