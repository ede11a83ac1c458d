import json

from lnm_kit.runs.folder import create_run_folder, file_digest, find_same_run


def finish(folder, identity, outcome="ok"):
    (folder / "notebook.ipynb").write_text("{}")
    digest = file_digest(folder / "notebook.ipynb")
    record = {"identity": identity, "outcome": outcome, "notebook_sha256": digest}
    (folder / "run.json").write_text(json.dumps(record))


def test_no_two_runs_share_a_folder(tmp_path):
    folders = [create_run_folder("llnm", "a" * 64, tmp_path) for _ in range(20)]
    assert len(set(folders)) == 20
    assert all(folder.is_dir() for folder in folders)


def test_same_run_is_found_only_when_it_was_good_and_is_untouched(tmp_path):
    good, failed, changed = (create_run_folder("llnm", name, tmp_path) for name in "abc")
    finish(good, "a")
    finish(failed, "b", outcome="error")
    finish(changed, "c")
    (changed / "notebook.ipynb").write_text("{ }")
    (create_run_folder("llnm", "d", tmp_path) / "run.json").write_text("{half")
    assert find_same_run("llnm", "a", tmp_path) == good
    assert find_same_run("llnm", "b", tmp_path) is None
    assert find_same_run("llnm", "c", tmp_path) is None
    assert find_same_run("lvlnm", "a", tmp_path) is None
