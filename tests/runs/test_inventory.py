import json

import pytest

from lnm_kit.errors import InputError
from lnm_kit.runs.folder import this_process
from lnm_kit.runs.inventory import all_runs, choose_runs, find_run, removable, remove_run


def names(runs):
    return [run.folder.name for run in runs]


def test_runs_are_listed_newest_first_and_damaged_ones_left_out(make_run, tmp_path):
    make_run("20260101-000000-aaaaaaaa")
    make_run("20260103-000000-cccccccc", chapter="lvlnm")
    make_run("20260102-000000-bbbbbbbb", record={"outcome": "error"})
    (make_run("20260104-000000-dddddddd") / "run.json").write_text("{half")
    assert names(all_runs(tmp_path)) == [
        "20260103-000000-cccccccc",
        "20260102-000000-bbbbbbbb",
        "20260101-000000-aaaaaaaa",
    ]
    assert len(all_runs(tmp_path, "llnm")) == 2
    with pytest.raises(InputError, match="Did you mean 'llnm'"):
        all_runs(tmp_path, "lnlm")
    assert all_runs(tmp_path / "nowhere", "llnm") == []


def test_runs_are_chosen_by_outcome_and_parameter(make_run, tmp_path):
    make_run("1-1-a", seed=3)
    make_run("1-1-b", seed=3, record={"outcome": "error"})
    make_run("1-1-c", seed=4)
    runs = all_runs(tmp_path)
    assert names(choose_runs(runs, outcome="ok", values={"seed": 3})) == ["1-1-a"]
    assert choose_runs(runs, values={"seed": 5}) == []
    with pytest.raises(InputError, match="Did you mean seed"):
        choose_runs(runs, values={"sede": 3})
    with pytest.raises(InputError, match="outcome is 'eror'"):
        choose_runs(runs, outcome="eror")


def test_run_is_found_by_folder_id_and_unique_beginning(make_run, tmp_path):
    first = make_run("20260101-000000-abcdef00")
    make_run("20260101-000001-abcd1111")
    other = make_run("20260101-000000-abcdef00", chapter="lvlnm")
    assert find_run(str(first), tmp_path).folder == first
    assert find_run("lvlnm/20260101-000000-abcdef00", tmp_path).folder == other
    assert find_run("llnm/abcde", tmp_path).folder == first
    assert find_run("abcd1", tmp_path).chapter == "llnm"
    with pytest.raises(InputError, match="2 runs begin with 'abcde'"):
        find_run("abcde", tmp_path)
    for word in ("ffff", "", "../", str(tmp_path)):
        with pytest.raises(InputError, match="there is no run"):
            find_run(word, tmp_path)


def test_newest_good_run_and_those_at_work_stay(make_run, tmp_path):
    make_run("20260101-000000-a")
    make_run("20260102-000000-b")
    make_run("20260103-000000-c", record={"outcome": "error"})
    make_run("20260104-000000-d", record={"outcome": "interrupted", "process": this_process()})
    make_run("20260101-000000-e", chapter="lvlnm")
    runs = all_runs(tmp_path)
    assert {run.outcome for run in runs} == {"ok", "error", "running"}
    assert names(removable(runs, tmp_path, newest_too=False)) == [
        "20260103-000000-c",
        "20260101-000000-a",
    ]
    assert len(removable(runs, tmp_path, newest_too=True)) == 4
    # newest of all, not of those that were chosen
    older = [run for run in runs if run.folder.name == "20260101-000000-a"]
    assert names(removable(older, tmp_path, newest_too=False)) == ["20260101-000000-a"]
    for run in older:
        remove_run(run)
    assert len(all_runs(tmp_path)) == 4
    assert not list((tmp_path / "runs" / "llnm").glob(".removed*"))


def test_process_that_is_gone_does_not_run(make_run, tmp_path):
    process = this_process()
    make_run("1-1-a", record={"outcome": "interrupted", "process": process | {"since": 1.0}})
    make_run("1-1-b", record={"outcome": "interrupted", "process": process | {"pid": "x"}})
    assert [run.outcome for run in all_runs(tmp_path)] == ["interrupted"] * 2


def test_damaged_metrics_are_named(make_run, tmp_path):
    folder = make_run("1-1-a")
    (folder / "metrics.json").write_text(json.dumps([{"model": "SVM"}, 3]))
    with pytest.raises(InputError, match=r"metrics\.json cannot be read"):
        find_run("a", tmp_path).metrics()
