import re

import pytest

from lnm_kit.errors import InputError
from lnm_kit.reporting import (
    ANSWERED,
    CHECKLISTS,
    MISSING,
    PEOPLE,
    TO_SHARE,
    fill,
    read_checklist,
)

SECTIONS_OF_CLEAR = {
    "title": (1, 1),
    "abstract": (2, 2),
    "keywords": (3, 3),
    "introduction": (4, 6),
    "study design": (7, 12),
    "data": (13, 18),
    "segmentation": (19, 20),
    "preprocessing": (21, 24),
    "feature extraction": (25, 28),
    "data preparation": (29, 33),
    "modeling": (34, 37),
    "evaluation": (38, 43),
    "results": (44, 48),
    "discussion": (49, 52),
    "open science": (53, 58),
}


@pytest.mark.parametrize(("name", "last"), [("metrics", 30), ("clear", 58), ("tripod_ai", 27)])
def test_every_number_is_there_once_and_in_order(name, last):
    items = read_checklist(name).items
    assert len({item.number for item in items}) == len(items)
    numbers = [int(re.match(r"\d+", item.number)[0]) for item in items]
    assert numbers == sorted(numbers)
    assert set(numbers) == set(range(1, last + 1))
    letters = [item.number for item in items if item.number[-1].isalpha()]
    assert letters == sorted(letters, key=lambda n: (int(n[:-1]), n[-1]))


def test_the_sections_of_clear_are_those_of_its_table():
    for item in read_checklist("clear").items:
        first, last = SECTIONS_OF_CLEAR[item.section]
        assert first <= int(item.number) <= last


@pytest.mark.parametrize("name", CHECKLISTS)
def test_without_evidence_nothing_is_answered(name):
    table = fill(read_checklist(name), {})
    assert set(table.answer) == {MISSING, PEOPLE}
    assert (table.found == "").all()


@pytest.mark.parametrize("name", CHECKLISTS)
def test_what_only_people_know_is_never_answered_by_a_run(name):
    checklist = read_checklist(name)
    keys = {key for item in checklist.items for key in item.evidence}
    table = fill(checklist, dict.fromkeys(keys, "something"))
    asked = [bool(item.evidence) for item in checklist.items]
    assert (table.answer == PEOPLE).tolist() == [not there for there in asked]
    assert not (table.answer == MISSING).any()


def test_half_of_the_evidence_is_not_an_answer():
    checklist = read_checklist("metrics")
    half = fill(checklist, {"extraction": "to 0.25 mm"}).set_index("number")
    both = fill(checklist, {"extraction": "to 0.25 mm", "code": "commit 1"}).set_index("number")
    assert half.answer["13"] == MISSING
    assert half.found["13"] == ""
    assert both.answer["13"] == ANSWERED
    assert both.found["13"] == "to 0.25 mm; commit 1"


def test_an_empty_text_is_no_evidence():
    table = fill(read_checklist("metrics"), {"external": ""}).set_index("number")
    assert table.answer["27"] == MISSING


def test_what_lies_in_a_run_folder_is_not_yet_shared():
    table = fill(read_checklist("metrics"), {"code": "commit 1", "model": "network"})
    assert table.set_index("number").answer[["29", "30"]].tolist() == [TO_SHARE, TO_SHARE]


def test_an_unknown_checklist_gets_a_suggestion():
    with pytest.raises(InputError, match="metrics"):
        read_checklist("metric")
