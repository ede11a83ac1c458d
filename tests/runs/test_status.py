"""The status page says of every run what its folder says, and nothing that the folder does not."""

import json

import pytest

from lnm_kit.errors import InputError
from lnm_kit.runs.render import stage_sources
from lnm_kit.runs.status import NO_RUN, STATUS_FILE, status_text

RECORD = {
    "chapter": "llnm",
    "outcome": "ok",
    "wall_time_s": 152.7,
    "peak_memory_mb": 2947.3,
    "git_revision": "5ec386d57666aa+changes",
    "device": "cpu (2 processors)",
    "stages_s": {"network": 7.3, "five networks": 76.6, "cohort": 2.5, "regions": 1.0},
    "versions": {"numpy": "2.4.6", "torch": "2.14.1"},
}


def write_run(folder, profile="demo", **changes):
    folder.mkdir(parents=True)
    (folder / "params.toml").write_text(f'profile = "{profile}"\n')
    (folder / "run.json").write_text(json.dumps(RECORD | changes))
    return folder / "notebook.ipynb"


def row_of(text, page):
    line = next(line for line in text.splitlines() if f" </{page}>` | " in line)
    return [cell.strip() for cell in line.strip("|").split(" | ")]


def test_a_row_holds_when_how_long_and_with_what(tmp_path):
    run = write_run(tmp_path / "runs" / "llnm" / "20261121-194311-1f0639ec")
    text = status_text({"book/studies/llnm": run})
    cells = row_of(text, "book/studies/llnm")
    assert cells[:4] == [
        "{doc}`llnm </book/studies/llnm>`",
        "demo",
        "2026-11-21 19:43",
        "2 min 33 s",
    ]
    assert cells[4:] == ["2.9 GB", "`5ec386d5` with changes"]
    assert "1 notebook, 2 min 33 s" in text
    assert "| cpu (2 processors) | five networks" in text


def test_the_longest_stages_come_first_and_the_rest_is_left_out(tmp_path):
    text = status_text({"a": write_run(tmp_path / "20260101-000000-a")})
    assert "five networks 1 min 17 s, network 7 s, cohort 2 s |" in text
    assert "regions" not in text


def test_versions_that_differ_are_all_named(tmp_path):
    one = write_run(tmp_path / "20260101-000000-a")
    two = write_run(tmp_path / "20260101-000000-b", versions={"numpy": "2.5.0", "torch": "2.14.1"})
    text = status_text({"a": one, "b": two})
    assert "| numpy | 2.4.6, 2.5.0 |" in text
    assert "| torch | 2.14.1 |" in text
    assert "2 notebooks, 5 min 05 s of computing altogether" in text


def test_a_run_without_a_device_or_a_checkout_claims_none(tmp_path):
    run = write_run(tmp_path / "mine", device=None, git_revision=None, stages_s={})
    text = status_text({"a": run})
    assert row_of(text, "a")[2:] == ["", "2 min 33 s", "2.9 GB", "no checkout"]
    assert "No run recorded its stages" in text


def test_a_damaged_run_folder_is_told(tmp_path):
    notebook = write_run(tmp_path / "20260101-000000-a")
    (notebook.parent / "run.json").write_text("{")
    with pytest.raises(InputError, match="no folder of a run"):
        status_text({"a": notebook})


def test_the_staged_book_holds_the_text_even_without_a_notebook(repository, tmp_path):
    stage_sources(repository, tmp_path / "source", {})
    assert (tmp_path / "source" / STATUS_FILE).read_text() == f"{NO_RUN}\n"
