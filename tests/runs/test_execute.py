import json
import os
import signal
import sys
import threading
import time
import tomllib

import nbformat
import pytest

from lnm_kit.errors import InputError
from lnm_kit.runs.execute import run_chapter
from lnm_kit.runs.gate import page_problems
from lnm_kit.runs.profiles import PROFILES


def record_of(result):
    return json.loads((result.folder / "run.json").read_text())


def test_good_run_leaves_everything_that_is_needed_to_repeat_it(toy_book, write_chapter):
    write_chapter(
        "from lnm_kit.progress import track\n"
        "from lnm_kit.runs.parameters import take_parameters\n"
        "from lnm_kit.runs.recorder import Recorder\n"
        "import sys\n"
        "recorder = Recorder.open('llnm', take_parameters('llnm', globals()))\n"
        "with recorder.stage('counting'):\n"
        "    total = sum(track(range(5), label='numbers'))\n"
        "recorder.close()\n"
        "print(profile, seed, total, sys.executable)"
    )
    result = run_chapter("llnm", {"seed": 3, "profile": "smoke"})
    assert result.outcome == "ok"
    assert result.folder.parent == toy_book / "runs" / "llnm"
    assert {path.name for path in result.folder.iterdir()} >= {
        "params.toml",
        "notebook.ipynb",
        "notebook.html",
        "run.json",
        "stderr.log",
        "progress.jsonl",
    }
    parameters = tomllib.loads((result.folder / "params.toml").read_text())
    assert parameters["seed"] == 3
    assert parameters["epochs"] == PROFILES["llnm"]["smoke"]["epochs"]

    notebook = nbformat.read(result.folder / "notebook.ipynb", as_version=4)
    tags = [cell.metadata.get("tags") for cell in notebook.cells]
    assert tags.index(["injected-parameters"]) == tags.index(["parameters"]) + 1
    printed = "".join(output.text for output in notebook.cells[-1].outputs)
    assert printed == f"smoke 3 10 {sys.executable}\n"  # the bar left nothing in the page

    record = record_of(result)
    assert record["outcome"] == "ok"
    assert record["seed"] == 3
    assert record["stages_s"].keys() == {"counting"}
    assert record["peak_memory_mb"] > 20
    assert record["wall_time_s"] >= sum(record["cells_s"])
    assert {"python", "numpy", "torch"} <= record["versions"].keys()
    states = map(json.loads, (result.folder / "progress.jsonl").read_text().splitlines())
    last = [state for state in states if state["label"] == "numbers"][-1]
    assert (last["done"], last["total"]) == (5, 5)
    assert page_problems((result.folder / "notebook.html").read_text()) == []


@pytest.mark.parametrize(
    ("source", "outcome", "error"),
    [
        ("1 / 0", "error", "ZeroDivisionError"),
        ("import os, signal; os.kill(os.getpid(), signal.SIGKILL)", "kernel-died", None),
    ],
)
def test_failed_run_is_kept_with_its_cell_and_its_reason(
    toy_book, write_chapter, source, outcome, error
):
    write_chapter("print('as far as here')", source, "print('never')")
    result = run_chapter("llnm", {})
    record = record_of(result)
    assert (result.outcome, record["outcome"]) == (outcome, outcome)
    assert record["failed_cell"] == 3
    assert record["error"] == error
    assert not result.wrong_input
    html = (result.folder / "notebook.html").read_text()
    assert "as far as here" in html
    notebook = nbformat.read(result.folder / "notebook.ipynb", as_version=4)
    assert notebook.cells[-1].outputs == []


def test_input_that_a_chapter_refuses_is_told_apart_from_a_failure(toy_book, write_chapter):
    write_chapter("from lnm_kit.errors import InputError\nraise InputError('no GPU here')")
    result = run_chapter("llnm", {})
    assert result.outcome == "error"
    assert result.wrong_input
    assert result.message == "cell [2]: InputError: no GPU here"


def test_run_ends_when_its_time_is_over(toy_book, write_chapter):
    write_chapter("import time\ntime.sleep(60)")
    began = time.monotonic()
    result = run_chapter("llnm", {}, timeout_s=4)
    assert result.outcome == record_of(result)["outcome"] == "timeout"
    assert time.monotonic() - began < 20


@pytest.fixture
def listens_to_ctrl_c():
    """A shell that starts the tests in the background makes them deaf to Ctrl-C."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("listens_to_ctrl_c")
def test_interrupted_run_says_so_and_leaves_no_kernel(toy_book, write_chapter):
    write_chapter(
        "import os, pathlib, time\npathlib.Path('pid').write_text(str(os.getpid()))\ntime.sleep(60)"
    )

    def interrupt():
        while not (toy_book / "pid").is_file():
            time.sleep(0.05)
        os.kill(os.getpid(), signal.SIGINT)

    threading.Thread(target=interrupt, daemon=True).start()
    result = run_chapter("llnm", {})
    assert result.outcome == record_of(result)["outcome"] == "interrupted"
    with pytest.raises(ProcessLookupError):
        os.kill(int((toy_book / "pid").read_text()), 0)


def test_wrong_cohort_is_refused_before_anything_starts(toy_book):
    with pytest.raises(InputError, match="'nowhere' is not a folder"):
        run_chapter("llnm", {"cohort": "nowhere"})
    (toy_book / "empty").mkdir()
    with pytest.raises(InputError, match=r"cohort\.toml"):
        run_chapter("llnm", {"cohort": "empty"})
    assert not (toy_book / "runs").exists()


def test_chapter_without_a_notebook_is_named(toy_book):
    (toy_book / "book" / "studies" / "llnm.ipynb").unlink()
    with pytest.raises(InputError, match=r"book/studies/llnm\.ipynb is missing"):
        run_chapter("llnm", {})
