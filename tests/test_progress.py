import json
import logging
import sys

import pytest

from lnm_kit import progress
from lnm_kit.progress import track


def test_items_come_through_in_order_and_once():
    assert list(track(iter("abc"), label="letters", total=3)) == ["a", "b", "c"]
    assert list(track([], label="nothing")) == []


def test_outside_of_a_terminal_there_are_log_lines_and_no_output(caplog, capsys, monkeypatch):
    monkeypatch.setattr(progress, "LOG_EVERY_S", 0.0)
    with caplog.at_level(logging.INFO, logger="lnm_kit"):
        list(track(range(3), label="frames"))
    assert "frames: 1/3" in caplog.text
    assert "left" in caplog.text
    assert "frames: 3 done in" in caplog.text
    assert capsys.readouterr() == ("", "")


def test_inside_a_run_the_states_are_appended_to_its_folder(tmp_path, monkeypatch):
    monkeypatch.setenv("LNM_RUN_FOLDER", str(tmp_path))
    list(track(range(1000), label="frames"))
    lines = (tmp_path / "progress.jsonl").read_text().splitlines()
    states = [json.loads(line) for line in lines]
    assert len(states) < 10
    assert states[-1].keys() == {"label", "done", "total", "seconds"}
    assert (states[-1]["done"], states[-1]["total"]) == (1000, 1000)


def test_vanished_run_folder_does_not_stop_the_work(tmp_path, monkeypatch):
    monkeypatch.setenv("LNM_RUN_FOLDER", str(tmp_path / "gone"))
    assert sum(track(range(4), label="frames")) == 6


def test_terminal_gets_a_bar(monkeypatch, capsys):
    monkeypatch.delenv("LNM_RUN_FOLDER", raising=False)
    monkeypatch.delitem(sys.modules, "ipykernel", raising=False)
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
    monkeypatch.setenv("TERM", "xterm")
    assert list(track(range(3), label="frames")) == [0, 1, 2]
    assert "frames" in capsys.readouterr().err


def test_kernel_gets_no_bar(monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "ipykernel", sys)
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
    list(track(range(3), label="frames"))
    assert capsys.readouterr() == ("", "")


def test_error_inside_of_the_loop_is_not_swallowed():
    def broken():
        yield 1
        raise KeyError("two")

    with pytest.raises(KeyError):
        list(track(broken(), label="x"))
