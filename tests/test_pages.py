"""Pages across the studies say plainly what there is no run of, with the command of a reader."""

import json
import subprocess
import sys

import nbformat
import pytest


def run_page(repository, folder, page, **parameters):
    """Execute a page with papermill in a folder of its own; return all that it shows as text."""
    words = [word for name, value in parameters.items() for word in ("-p", name, value)]
    command = [sys.executable, "-m", "papermill", "--no-progress-bar"]
    source = repository / "book" / f"{page}.ipynb"
    done = subprocess.run(
        [*command, source, folder / "out.ipynb", *words],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    cells = nbformat.read(folder / "out.ipynb", as_version=4).cells
    shown = [output.get("data", {}) for cell in cells for output in cell.get("outputs", [])]
    return "\n".join(data.get("text/markdown", data.get("text/plain", "")) for data in shown)


@pytest.mark.parametrize("page", ["across/scoreboard", "across/reporting"])
def test_a_page_without_runs_says_so_and_claims_nothing(repository, tmp_path, page):
    (tmp_path / "runs").mkdir()
    text = run_page(repository, tmp_path, page, profile="smoke")
    assert "**No finished run** of the profile smoke for LLNM, LVLNM, CLNM, CEUS, DGFNet" in text
    assert "There is no run to read yet." in text
    assert "On the held-out cases" not in text


def test_the_scoreboard_calls_a_smoke_run_one(repository, tmp_path):
    run = tmp_path / "runs" / "clnm" / "20260101-000000-a"
    run.mkdir(parents=True)
    (run / "params.toml").write_text('profile = "smoke"\nsignal = 1.0\nseed = 0\n')
    (run / "run.json").write_text(json.dumps({"chapter": "clnm", "outcome": "ok"}))
    metric = {"split": "test", "metric": "auc", "lo": 0.6, "hi": 0.8, "method": "DeLong, logit"}
    rows = [
        metric | {"model": "Combined", "value": 0.7},
        metric | {"model": "Oracle", "value": 0.9},
    ]
    (run / "metrics.json").write_text(json.dumps(rows))
    text = run_page(repository, tmp_path, "across/scoreboard", profile="smoke")
    assert "**smoke runs**" in text
    assert "for LLNM, LVLNM, CEUS, DGFNet" in text
    assert "50% (CLNM) of the way" in text
    assert "kept no predictions of Combined on training" in text


def test_the_page_on_speed_compares_on_this_machine_and_needs_no_run(repository, tmp_path):
    (tmp_path / "runs").mkdir()
    text = run_page(repository, tmp_path, "across/speed", profile="smoke")
    assert "There is no finished run of the profile smoke to read yet." in text
    assert "features compared, 0 of them beyond" in text
