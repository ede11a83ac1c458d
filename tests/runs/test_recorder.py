import json
import math
from types import SimpleNamespace

import matplotlib.pyplot as plt
import pandas as pd
import pytest

from lnm_kit.runs.recorder import Recorder
from lnm_kit.runs.schemas import LlnmParameters


def estimate(value, lo=0.5, hi=0.9, method="DeLong"):
    return SimpleNamespace(value=value, lo=lo, hi=hi, method=method)


@pytest.fixture
def recorder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("LNM_RUN_FOLDER", raising=False)
    return Recorder.open("llnm", LlnmParameters(profile="smoke").resolved())


def test_run_of_its_own_writes_a_fresh_folder(recorder, tmp_path):
    with recorder.stage("training"):
        pass
    with recorder.stage("training"):
        pass
    recorder.close()
    assert recorder.folder.parent == tmp_path / "runs" / "llnm"
    record = json.loads((recorder.folder / "run.json").read_text())
    assert record["outcome"] == "ok"
    assert record["stages_s"].keys() == {"training"}
    assert 'profile = "smoke"' in (recorder.folder / "params.toml").read_text()


def test_under_lnm_run_the_folder_and_its_record_are_the_parent_s(tmp_path, monkeypatch):
    monkeypatch.setenv("LNM_RUN_FOLDER", str(tmp_path))
    recorder = Recorder.open("llnm", LlnmParameters())
    with recorder.stage("training"):
        pass
    recorder.close()
    assert recorder.folder == tmp_path
    assert not (tmp_path / "run.json").exists()
    assert "training" in (tmp_path / "progress.jsonl").read_text()


def test_metrics_are_tidy_and_the_last_of_a_name_counts(recorder):
    recorder.metric("svm", "test_a", "auc", estimate(0.6))
    recorder.metric("svm", "test_a", "auc", estimate(0.7))
    recorder.metric(
        "svm", "test_a", "ppv", estimate(math.nan, math.nan, math.nan, "undefined: none")
    )
    rows = json.loads((recorder.folder / "metrics.json").read_text())
    assert rows[0] == {
        "model": "svm",
        "split": "test_a",
        "metric": "auc",
        "value": 0.7,
        "lo": 0.5,
        "hi": 0.9,
        "method": "DeLong",
    }
    assert [row["value"] for row in rows] == [0.7, None]
    with pytest.raises(ValueError, match="hi is not finite"):
        recorder.metric("svm", "test_a", "acc", estimate(0.6, hi=math.inf))


def test_predictions_of_all_models_and_splits_stand_in_one_table(recorder):
    recorder.predictions("svm", "test_a", ["1", "2"], [0.1, 0.9], [0, 1])
    recorder.predictions("net", "test_a", ["1", "2"], pd.Series([0.2, 0.3]), pd.Series([0, 1]))
    recorder.predictions("svm", "test_a", ["1", "2"], [0.4, 0.9], [0, 1])
    table = pd.read_parquet(recorder.folder / "predictions.parquet")
    assert list(table.columns) == ["case_id", "split", "model", "probability", "label"]
    assert len(table) == 4
    assert table.query("model == 'svm' and case_id == '1'").probability.item() == 0.4


@pytest.mark.parametrize(
    ("case_ids", "probability", "label"),
    [
        (["1", "2"], [0.5], [0, 1]),
        (["1", "1"], [0.5, 0.5], [0, 1]),
        (["1", "2"], [0.5, 1.5], [0, 1]),
        (["1", "2"], [0.5, math.nan], [0, 1]),
        (["1", "2"], [0.5, 0.5], [0, 2]),
        (["1", "2"], [0.5, 0.5], [0, math.nan]),
    ],
)
def test_impossible_predictions_are_refused(recorder, case_ids, probability, label):
    with pytest.raises(ValueError, match="predictions of svm on test_a"):
        recorder.predictions("svm", "test_a", case_ids, probability, label)
    assert not (recorder.folder / "predictions.parquet").exists()


def test_same_figure_gives_the_same_bytes(recorder):
    figure, axes = plt.subplots(figsize=(2, 2))
    axes.plot([0, 1])
    recorder.figure(figure, "roc")
    first = {path.name: path.read_bytes() for path in (recorder.folder / "figures").iterdir()}
    recorder.figure(figure, "roc")
    second = {path.name: path.read_bytes() for path in (recorder.folder / "figures").iterdir()}
    plt.close(figure)
    assert first.keys() == {"roc.png", "roc.svg"}
    assert first == second
    with pytest.raises(ValueError, match="figure name"):
        recorder.figure(figure, "../roc")
