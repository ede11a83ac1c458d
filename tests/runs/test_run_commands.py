import io
import json

import pytest

from lnm_kit.runs.gate import page_problems

METRIC = {"model": "SVM", "split": "test_a", "metric": "auc", "value": 0.8, "lo": 0.7, "hi": 0.9}
CHAPTER = """
import json, os, pathlib
folder = pathlib.Path(os.environ["LNM_RUN_FOLDER"])
row = {"model": "SVM", "split": "test_a", "metric": "auc", "value": 0.8, "lo": 0.7, "hi": 0.9}
(folder / "metrics.json").write_text(json.dumps([row]))
"""


def test_dry_run_says_all_and_does_nothing(lnm, toy_book):
    code, out, err = lnm("run", "llnm", "-p", "profile=smoke", "-p", "seed=3", "--dry-run")
    assert (code, err) == (0, "")
    for line in ("seed                 = 3", "simulated (seed 3, signal 1)", "Would be executed"):
        assert line in out
    assert not (toy_book / "runs").exists()
    assert lnm("run", "llnm", "-p", "sede=3", "--dry-run")[0] == 2


def test_run_ends_with_the_paths_that_matter_and_is_found_again(lnm, toy_book, write_chapter):
    write_chapter(CHAPTER)
    words = ("run", "llnm", "-p", "profile=smoke", "-p", "seed=3")
    code, out, _ = lnm(*words)
    (folder,) = (toy_book / "runs" / "llnm").iterdir()
    assert code == 0
    assert "llnm: done." in out
    assert "0.800 (0.700 to 0.900)" in out
    assert f"runs/llnm/{folder.name}/notebook.html" in out
    assert f"lnm run llnm -f runs/llnm/{folder.name}/params.toml" in out
    assert "its numbers mean nothing" in out
    code, out, _ = lnm("run", "llnm", "-f", folder / "params.toml")
    assert (code, "found a finished run" in out) == (0, True)
    assert "Would not be executed" in lnm(*words, "--dry-run")[1]
    code, out, _ = lnm("sweep", "llnm", "-f", folder / "params.toml", "-p", "seed=2:5", "--dry-run")
    assert code == 0
    assert out == (
        "would run  llnm seed=2\nfound      llnm seed=3\nwould run  llnm seed=4\n"
        "3 runs, 1 of them finished before\n"
    )
    # a sweep of what is there already executes nothing
    code, out, _ = lnm("sweep", "llnm", "-p", "profile=smoke", "-p", "seed=3")
    assert code == 0
    assert "1 of 1 runs are finished and kept; 1 were there before" in out
    (page,) = (toy_book / "runs" / "llnm" / "sweeps").glob("*/index.html")
    assert page_problems(page.read_text()) == []
    linked = page.parent / page.read_text().split('<a href="')[2].split('"')[0]
    assert linked.resolve() == (folder / "notebook.html").resolve()


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["lnlm", "-p", "seed=0:3"], "Did you mean 'llnm'"),
        (["llnm,", "-p", "seed=0:3"], "chapter is ''"),
        (["llnm"], "varies nothing"),
        (["llnm", "-p", "seed=5:1"], "seed=5:1 is empty"),
        (["llnm", "-p", "sede=0:3"], "did you mean seed?"),
        (["llnm", "-p", "signal=0:9:4"], "signal is 4"),
        (["llnm", "-p", "seed=0:2", "-f", "nowhere.toml"], "nowhere.toml cannot be read"),
        (["llnm", "-p", "cohort=nowhere,", "-p", "seed=1"], "empty value"),
        (["llnm", "-p", "cohort=nowhere,there"], "'nowhere' is not a folder"),
    ],
)
def test_wrong_sweep_is_one_message_and_exit_code_2(lnm, toy_book, words, message):
    code, out, err = lnm("sweep", *words)
    assert (code, out) == (2, "")
    assert message in err
    assert "Traceback" not in err
    assert not (toy_book / "runs").exists()


def test_failed_sweep_has_exit_code_1_and_names_cell_and_message(lnm, toy_book, write_chapter):
    write_chapter("1 / 0")
    code, out, err = lnm("sweep", "llnm", "-p", "seed=0:1")
    assert code == 1
    assert "error: llnm seed=0: cell [2]: ZeroDivisionError: division by zero" in err
    assert "0 of 1 runs are finished and kept, 1 failed" in err
    assert "index.html" in out


def test_compare_shows_two_runs_and_writes_a_page(lnm, toy_book, make_run):
    make_run("1-1-aaaa", metrics=[METRIC], cohort="mine", epochs=3)
    make_run("1-1-bbbb", metrics=[METRIC | {"value": 0.85}], cohort="mine", epochs=4)
    code, out, _ = lnm("compare", "aa", "bb")
    assert code == 0
    for text in ("llnm/1-1-aaaa", "epochs", "0.850 (0.700 to 0.900)", "runs/comparisons/"):
        assert text in out
    (page,) = (toy_book / "runs" / "comparisons").iterdir()
    assert page_problems(page.read_text()) == []
    lnm("compare", "aa", "bb", "-o", "mine.html")
    assert (toy_book / "mine.html").read_text() == page.read_text()
    for words, message in [
        (["aa"], "at least two runs"),
        (["aa", "cc"], "there is no run 'cc'"),
        (["1-1", "aa"], "2 runs begin with '1-1'"),
    ]:
        code, _, err = lnm("compare", *words)
        assert (code, message in err) == (2, True)


def test_runs_are_listed_shown_and_cleaned(lnm, toy_book, make_run, monkeypatch):
    assert "no such run" in lnm("runs", "list")[1]
    make_run("20260101-000000-aaaa", metrics=[METRIC], record={"wall_time_s": 61.0})
    make_run("20260102-000000-bbbb", seed=3)
    failure = {"outcome": "error", "failed_cell": 4, "error": "ValueError", "message": "no [rows]"}
    make_run("20260103-000000-cccc", record=failure, seed=3)
    out = lnm("runs", "list")[1]
    assert "3 runs" in out
    assert "2026-01-01 00:00 UTC" in out
    assert "1 min 01 s" in out
    assert "seed=3" in out
    assert "1 runs" in lnm("runs", "list", "llnm", "--outcome", "error", "-p", "seed=3")[1]
    assert lnm("runs", "list", "--outcome", "eror")[0] == 2
    assert lnm("runs", "list", "-p", "sede=3")[0] == 2
    assert lnm("runs", "list", "lnlm")[0] == 2
    out = lnm("runs", "show", "aaaa", "cccc")[1]
    assert "0.800 (0.700 to 0.900)" in out
    assert "cell [4]: ValueError: no [rows]" in out

    folders = toy_book / "runs" / "llnm"
    for answer in ("n\n", ""):
        monkeypatch.setattr("sys.stdin", io.StringIO(answer))
        lnm("runs", "clean")
    assert len(list(folders.iterdir())) == 3
    code, out, _ = lnm("runs", "clean", "--yes")
    assert (code, "2 runs removed" in out) == (0, True)
    assert [path.name for path in folders.iterdir()] == ["20260102-000000-bbbb"]
    assert "Nothing to remove" in lnm("runs", "clean", "--yes")[1]
    assert "1 runs removed" in lnm("runs", "clean", "--yes", "--newest-too")[1]
    assert list(folders.iterdir()) == []


def test_shell_completes_commands_chapters_and_runs(
    lnm, toy_book, make_run, monkeypatch, repository
):
    make_run("1-1-aaaa")
    assert "--install-completion" in lnm("--help")[1]
    monkeypatch.setenv("_LNM_COMPLETE", "complete_bash")
    for words, expected in [
        ("lnm sw", "sweep"),
        ("lnm run ll", "llnm"),
        ("lnm compare llnm/1", "llnm/1-1-aaaa"),
        ("lnm cohort ch", "check"),
        ("lnm runs cl", "clean"),
    ]:
        monkeypatch.setenv("COMP_WORDS", words)
        monkeypatch.setenv("COMP_CWORD", str(len(words.split()) - 1))
        assert expected in lnm()[1].split()


def test_notebook_record_is_json_with_the_cohort(lnm, toy_book):
    lnm("run", "llnm")
    (folder,) = (toy_book / "runs" / "llnm").iterdir()
    record = json.loads((folder / "run.json").read_text())
    assert record["cohort_digest"] is None
    assert "process" not in record
