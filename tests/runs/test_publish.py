import json
import os
import re

import psutil
import pytest

from lnm_kit.errors import InputError
from lnm_kit.runs.folder import file_digest, result_digests
from lnm_kit.runs.publish import find_refusals, publish, refuse_smoke

CHAPTER = """
from types import SimpleNamespace
from lnm_kit.runs.parameters import take_parameters
from lnm_kit.runs.recorder import Recorder
run = Recorder.open("llnm", take_parameters("llnm", globals()))
run.metric("M", "test", "auc", SimpleNamespace(value=0.7, lo=0.5, hi=0.9, method="none"))
run.close()
"""


def test_book_offers_the_runs_files_and_only_good_runs_are_published(
    lnm, toy_book, write_chapter, monkeypatch
):
    write_chapter(CHAPTER)
    code, out, err = lnm("book", "--profile", "smoke", "--publish", "public")
    assert (code, out) == (2, "")
    assert "book/studies/llnm: the smoke profile only shows" in err
    assert lnm("book", "-p", "profile=smoke", "--publish", "public")[0] == 2
    assert not (toy_book / "runs").exists()

    code, out, err = lnm("book", "--publish", "public")
    assert code == 0, err
    assert "may be published from public" in out
    html = toy_book / "public" / "book" / "studies" / "llnm.html"
    links = re.findall(r'href="([^"]*_downloads/[^"]*)"', html.read_text())
    files = {path.rpartition("/")[2]: (html.parent / path).resolve() for path in links}
    assert set(files) == {"llnm.ipynb", "llnm_params.toml", "llnm_metrics.json"}
    (folder,) = (toy_book / "runs" / "llnm").iterdir()
    assert files["llnm.ipynb"].read_bytes() == (folder / "notebook.ipynb").read_bytes()
    assert files["llnm_params.toml"].read_bytes() == (folder / "params.toml").read_bytes()
    assert json.loads(files["llnm_metrics.json"].read_text())[0]["value"] == 0.7

    # a folder with anything in it is not overwritten, and what is rendered already is not again
    assert lnm("book", "--publish", "public")[0] == 2
    code, out, _ = lnm("book", "--publish", "again")
    assert (code, "0 notebooks executed, 1 unchanged" in out) == (0, True)
    assert (toy_book / "again" / "index.html").is_file()

    write_chapter("1 / 0")
    code, out, err = lnm("book", "--publish", "failed")
    assert (code, "ZeroDivisionError" in err) == (1, True)
    assert not (toy_book / "failed").exists()


def good_run(make_run, name="1-1-a", **changes):
    folder = make_run(name, profile=changes.pop("profile", "demo"))
    (folder / "notebook.ipynb").write_text("{}")
    record = {"outcome": "ok", "notebook_sha256": file_digest(folder / "notebook.ipynb")}
    record |= {"results_sha256": result_digests(folder)}
    (folder / "run.json").write_text(json.dumps(record | changes))
    return folder


def test_good_run_is_not_refused(make_run):
    assert find_refusals({"book/a": good_run(make_run)}) == []


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"outcome": "error", "message": "no rows", "failed_cell": 3}, r"error, cell \[3\]"),
        ({"outcome": "interrupted"}, "interrupted, its process ended"),
        ({"outcome": "kernel-died", "message": "killed"}, "kernel-died"),
        ({"outcome": "timeout", "message": "over"}, "timeout"),
        ({"profile": "smoke"}, "its numbers mean nothing"),
        ({"notebook_sha256": "0"}, "were changed afterwards"),
        ({"results_sha256": {"metrics.json": "0"}}, "were changed afterwards"),
        (
            {"process": {"pid": os.getpid(), "since": psutil.Process().create_time()}},
            "still at work",
        ),
    ],
)
def test_run_that_is_not_good_is_refused_with_its_reason(make_run, changes, reason):
    bad, good = good_run(make_run, **changes), good_run(make_run, "1-1-b")
    (found,) = find_refusals({"book/a": bad, "book/b": good})
    assert found.startswith("book/a: ")
    assert re.search(reason, found)


def test_run_without_a_readable_record_is_refused(make_run):
    folder = good_run(make_run)
    for text in ("{", "[]"):
        (folder / "run.json").write_text(text)
        assert "cannot be read" in find_refusals({"book/a": folder})[0]


def test_all_smoke_pages_are_named():
    refuse_smoke({"a": {"profile": "demo"}, "b": {}})
    with pytest.raises(InputError, match="a, c: the smoke profile"):
        refuse_smoke({"a": {"profile": "smoke"}, "b": {}, "c": {"profile": "smoke"}})


def test_publication_is_whole_or_nothing(tmp_path):
    (tmp_path / "html" / "_static").mkdir(parents=True)
    (tmp_path / "html" / "index.html").write_text("a page")
    publish(tmp_path / "html", tmp_path / "public")
    assert (tmp_path / "public" / "index.html").read_text() == "a page"
    with pytest.raises(InputError, match="not an empty folder"):
        publish(tmp_path / "html", tmp_path / "public")
    with pytest.raises(FileNotFoundError):
        publish(tmp_path / "nowhere", tmp_path / "other")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["html", "public"]
