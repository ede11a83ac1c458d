"""What the report of the browser says, and that nothing found is left out of it."""

import json

from tools.browser.report import PageReport, write_report
from tools.browser.visit import Visit


def test_a_good_book_has_a_row_for_each_page_and_no_problem(tmp_path):
    visits = [Visit("light", 0.4, 1.2, {"images": 3}), Visit("phone", 0.6, 1.1)]
    assert write_report([PageReport("book/index", visits=visits)], tmp_path, 3.0) == []
    text = (tmp_path / "report.md").read_text()
    assert "| book/index | 0.6 | 1.20 | 3 |" in text
    assert "0 problems" in text
    assert "each light, phone" in text


def test_a_problem_of_several_readers_is_said_once_with_their_names(tmp_path):
    visits = [Visit("light", problems=["a"]), Visit("dark", problems=["a", "b"])]
    page = PageReport("p", ["c"], visits)
    problems = write_report([page], tmp_path, 1.0)
    assert problems == ["p: c", "p (light, dark): a", "p (dark): b"]
    assert json.loads((tmp_path / "report.json").read_text())["problems"] == problems
    assert "- p (dark): b" in (tmp_path / "report.md").read_text()


def test_a_heavy_page_is_a_problem_and_a_slow_one_is_said(tmp_path):
    heavy = PageReport("heavy", visits=[Visit("light", weight_mb=3.4)])
    slow = PageReport("slow", visits=[Visit("light", load_s=2.5)])
    assert write_report([heavy, slow], tmp_path, 1.0) == ["heavy: 3.4 MB, allowed are less than 3"]
    assert "- slow: 2.5 s" in (tmp_path / "report.md").read_text()


def test_what_axe_finds_of_little_weight_is_said_and_no_problem(tmp_path):
    page = PageReport("p", visits=[Visit("light", minor=["axe moderate region (1): p"])])
    assert write_report([page], tmp_path, 1.0) == []
    assert "axe moderate region" in (tmp_path / "report.md").read_text()
