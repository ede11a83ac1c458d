import pandas as pd
import pytest
import typer
from typer.testing import CliRunner

from lnm_kit.cohort import load_cohort
from lnm_kit.errors import InputError
from lnm_kit.simulate import commands, population


@pytest.fixture
def run(monkeypatch, tmp_path):
    """Invoke `simulate`; the frames are those of a cohort that was written by hand."""
    app = typer.Typer()
    app.command()(commands.simulate)
    asked = []

    def folder_of(study, **arguments):
        asked.append((study, arguments))
        made = tmp_path / "made"
        made.mkdir(exist_ok=True)
        (made / "cohort.toml").write_text("simulated = true\n")
        return made

    monkeypatch.setattr(commands, "simulate_cohort", folder_of)

    def invoke(*words):
        return CliRunner().invoke(app, [str(word) for word in words]), asked

    return invoke


def test_the_cohort_is_written_where_asked(run, tmp_path):
    result, asked = run("llnm", tmp_path / "out", "--seed", 3, "--signal", 0, "--size", 0.1)
    assert result.exit_code == 0, result.output
    assert (tmp_path / "out" / "cohort.toml").is_file()
    assert "simulated" in result.output
    assert asked == [("llnm", {"seed": 3, "signal": 0.0, "size": 0.1, "n_jobs": -1})]


def test_an_existing_folder_is_refused_before_any_work(run, tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "mine.txt").write_text("keep")
    result, asked = run("llnm", tmp_path / "out")
    assert isinstance(result.exception, InputError)
    assert "not overwritten" in str(result.exception)
    assert asked == []
    assert (tmp_path / "out" / "mine.txt").read_text() == "keep"


@pytest.mark.parametrize(
    ("words", "message"),
    [(["lllnm"], "Did you mean 'llnm'"), (["llnm", "--size", "0"], "size is 0")],
)
def test_wrong_words_are_refused_before_any_work(run, tmp_path, words, message):
    result, asked = run(words[0], tmp_path / "out", *words[1:])
    assert isinstance(result.exception, InputError)
    assert message in str(result.exception)
    assert asked == []
    assert not (tmp_path / "out").exists()


def test_a_disk_without_room_is_told_beforehand(run, tmp_path, monkeypatch):
    def full(*_):
        raise InputError("the disk has 1 MB free")

    monkeypatch.setattr(commands, "require_space", full)
    result, asked = run("llnm", tmp_path / "out")
    assert isinstance(result.exception, InputError)
    assert asked == []


def test_the_real_thing_is_a_cohort(tmp_path, monkeypatch):
    """Twelve frames rendered for real, through everything."""
    monkeypatch.setenv("LNM_CACHE", str(tmp_path / "cache"))

    def tiny_plan(study, size=1.0):
        plan = {"n": [3] * 4, "positive": [1] * 4}
        return pd.DataFrame(plan, index=["training", "validation", "test_a", "test_b"])

    monkeypatch.setattr(population, "split_plan", tiny_plan)
    app = typer.Typer()
    app.command()(commands.simulate)
    result = CliRunner().invoke(app, ["llnm", str(tmp_path / "out"), "--n-jobs", "1"])
    assert result.exit_code == 0, result.output
    cohort = load_cohort(tmp_path / "out")
    assert len(cohort.images) == 12
    assert cohort.cases["label"].sum() == 4
