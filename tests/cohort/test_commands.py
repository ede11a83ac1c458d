import pytest
from typer.testing import CliRunner

from lnm_kit.cohort.commands import app
from lnm_kit.errors import InputError

RUNNER = CliRunner()


def test_check_of_a_right_cohort(small_cohort):
    result = RUNNER.invoke(app, ["check", str(small_cohort.root)])
    assert result.exit_code == 0
    assert "no problems" in result.stdout


def test_check_lists_everything_and_exits_with_2(small_cohort):
    for i in range(3):
        (small_cohort.root / f"images/i{i}.png").unlink()
    (small_cohort.root / "masks/i5.png").write_bytes(b"")
    result = RUNNER.invoke(app, ["check", str(small_cohort.root)])
    assert result.exit_code == 2
    assert len(result.stdout.splitlines()) == 4
    assert "images.csv, row 2: images/i0.png does not exist; allowed:" in result.stdout
    assert "4 problems" in result.stderr


def test_check_of_nothing():
    result = RUNNER.invoke(app, ["check", "no/such/folder"])
    assert result.exit_code == 2
    assert "no such folder" in result.stdout


def test_import_of_a_missing_source(tmp_path):
    result = RUNNER.invoke(app, ["import", "ddti", str(tmp_path / "no"), str(tmp_path / "cohort")])
    assert isinstance(result.exception, InputError)
    assert "is no folder" in str(result.exception)
    assert list(tmp_path.iterdir()) == []


def test_import_prints_what_was_left_out(tmp_path, made_up_ddti):
    (made_up_ddti / "3.xml").write_text("<case>")
    words = ["import", "ddti", str(made_up_ddti), str(tmp_path / "cohort")]
    result = RUNNER.invoke(app, words)
    assert result.exit_code == 0
    assert "9 of 10 cases and 9 of 11 frames imported" in result.stdout
    assert "cases left out, broken XML: 1" in result.stdout
    assert isinstance(RUNNER.invoke(app, words).exception, InputError)
    assert RUNNER.invoke(app, [*words, "--force", "--seed", "3"]).exit_code == 0


@pytest.mark.parametrize("words", [["check"], ["import", "ddti"], ["import", "ddti", "only-one"]])
def test_missing_arguments_are_wrong_input(words):
    assert RUNNER.invoke(app, words).exit_code == 2
