import json
from importlib import resources

import pytest
import typer
from typer.testing import CliRunner

from lnm_kit.cli import build_app
from lnm_kit.errors import InputError
from lnm_kit.evaluation.audit import CANNOT, audit, published_paper, summary, to_json, to_markdown
from lnm_kit.evaluation.audit_commands import audit_command

GOOD = """
paper = "Doe 2026"
[splits.test]
positive = 42
negative = 220
[table_2]
split = "test"
columns = ["model", "sensitivity", "ppv"]
rows = [["Ours", "0.714", "0.330"]]
"""


@pytest.fixture
def good(tmp_path):
    path = tmp_path / "good.toml"
    path.write_text(GOOD)
    return path


def test_what_can_be_obtained_ends_well(good, tmp_path, capsys):
    markdown, table = tmp_path / "report.md", tmp_path / "report.json"
    audit_command([str(good)], markdown=markdown, json=table, everything=True)
    out = capsys.readouterr().out
    assert "1 checks, 0 cannot be obtained." in out
    assert "30 of 42 positives" in out
    assert "1 can be obtained, 0 cannot" in markdown.read_text()
    assert json.loads(table.read_text())[0]["paper"] == "Doe 2026"
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "good.toml",
        "report.json",
        "report.md",
    ]


def test_what_cannot_be_obtained_ends_with_1(good, capsys):
    good.write_text(GOOD.replace("0.714", "0.715"))
    with pytest.raises(typer.Exit) as caught:
        audit_command([str(good), "clnm"])
    assert caught.value.exit_code == 1
    out = " ".join(capsys.readouterr().out.split())
    assert "no count of 42 positives gives sensitivity 0.715" in out
    assert "Li 2026" in out
    assert "does not tell why" in out


def test_rows_that_share_a_reason_are_one_line(capsys):
    audit_command(["dgfnet"])
    shown = capsys.readouterr().out
    assert "- Table 1, 10 rows (AUC and interval): no interval is printed" in shown
    assert shown.count("no interval is printed") == 5


def test_all_wrong_files_are_told_of_at_once(good, tmp_path):
    good.write_text(GOOD.replace('"0.714"', "0.714"))
    with pytest.raises(InputError) as caught:
        audit_command([str(good), str(tmp_path / "nowhere.toml"), "llmn"])
    text = str(caught.value)
    assert "line 9: table_2, row 1: 0.714 is not in quotes" in text
    assert "nowhere.toml is no file" in text
    assert "Did you mean 'llnm'?" in text


def test_a_report_without_a_folder_is_refused_first(good, tmp_path, capsys):
    with pytest.raises(InputError, match="is no folder"):
        audit_command([str(good)], markdown=tmp_path / "nowhere" / "report.md")
    assert capsys.readouterr().out == ""


def test_summary_and_writers_count_alike():
    report = audit(published_paper("clnm"))
    table = summary(report)
    assert table["checks"].sum() == len(report)
    assert table[CANNOT].sum() == (report["verdict"] == CANNOT).sum()
    text = to_markdown(report)
    assert text.count("cannot be obtained: ") == table[CANNOT].sum()
    assert len(json.loads(to_json(report))) == len(report)


def test_the_command_is_mounted(good):
    listed = CliRunner().invoke(build_app([]), ["--help"])
    assert " audit " in listed.output
    done = CliRunner().invoke(build_app(["audit"]), ["audit", str(good)])
    assert (done.exit_code, "0 cannot be obtained" in done.output) == (0, True)
    good.write_text(GOOD.replace("0.714", "0.715"))
    assert CliRunner().invoke(build_app(["audit"]), ["audit", str(good)]).exit_code == 1


def test_the_file_of_a_study_is_the_study(capsys):
    path = resources.files("lnm_kit.published") / "dgfnet.toml"
    audit_command([str(path)])
    by_file = capsys.readouterr().out
    audit_command(["dgfnet"])
    assert by_file == capsys.readouterr().out
