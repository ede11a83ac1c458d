"""The items of a checklist, and their answers from evidence."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files

import pandas as pd

from lnm_kit.errors import one_of

CHECKLISTS = ("metrics", "clear", "tripod_ai")
"""What `read_checklist` knows."""

ANSWERED = "answered"
TO_SHARE = "to be shared"
MISSING = "not answered by the run"
PEOPLE = "only people can answer"
ANSWERS = (ANSWERED, TO_SHARE, MISSING, PEOPLE)

_SHARE = "share:"


@dataclass(frozen=True)
class Item:
    """One item: its number and section in the checklist, and its topic in our words.

    ``evidence`` names what must be found to answer it, all of it; with none only people can.
    ``to_share`` tells that what was found must still be given to others.
    """

    number: str
    section: str
    topic: str
    evidence: tuple[str, ...]
    to_share: bool


@dataclass(frozen=True)
class Checklist:
    """A checklist: name, full title, key in the book's references, citation, and items."""

    name: str
    title: str
    key: str
    reference: str
    items: tuple[Item, ...]


def read_checklist(name: str) -> Checklist:
    """Return a checklist by name.

    Raises
    ------
    InputError
        For an unknown name.

    Examples
    --------
    >>> [len(read_checklist(name).items) for name in CHECKLISTS]
    [30, 58, 52]
    """
    one_of("checklist", name, CHECKLISTS)
    text = (files("lnm_kit.reporting") / f"{name}.toml").read_text("utf-8")
    kept = tomllib.loads(text)
    items = []
    for number, section, topic, evidence in kept.pop("rows"):
        keys = tuple(key.removeprefix(_SHARE) for key in evidence.split())
        items.append(Item(number, section, topic, keys, evidence.startswith(_SHARE)))
    return Checklist(**kept, items=tuple(items))


def fill(checklist: Checklist, evidence: Mapping[str, str]) -> pd.DataFrame:
    """Answer every item that the evidence answers in full, and say so of all others.

    Parameters
    ----------
    checklist
        From `read_checklist`.
    evidence
        Name of what was found to what it says, in a few words. What is not among it was not
        found.

    Returns
    -------
    pandas.DataFrame
        One row an item: `number`, `section`, `topic`, `answer` (one of `ANSWERS`), and `found`,
        which is empty where nothing answers the item.

    Examples
    --------
    >>> table = fill(read_checklist("metrics"), {"centers": "3 centers"})
    >>> table.set_index("number").loc[["3", "4", "27"], "answer"].tolist()
    ['only people can answer', 'answered', 'not answered by the run']
    """
    rows = []
    for item in checklist.items:
        there = all(evidence.get(key) for key in item.evidence)
        answer = (TO_SHARE if item.to_share else ANSWERED) if there else MISSING
        if not item.evidence:
            answer = PEOPLE
        found = "; ".join(evidence[key] for key in item.evidence) if there else ""
        rows.append((item.number, item.section, item.topic, answer, found))
    return pd.DataFrame(rows, columns=["number", "section", "topic", "answer", "found"])
