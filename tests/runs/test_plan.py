import pytest

from lnm_kit.errors import InputError
from lnm_kit.runs.execute import run_chapter
from lnm_kit.runs.folder import earlier_runs
from lnm_kit.runs.pages import make_plans, read_pages
from lnm_kit.runs.plan import Planner


def test_finished_run_is_found_and_not_repeated_and_a_failed_one_never_is(toy_book, write_chapter):
    write_chapter("import pathlib\nassert pathlib.Path('mended').exists()")
    failed = run_chapter("llnm", {"seed": 3})
    assert (failed.outcome, failed.found) == ("error", False)
    (toy_book / "mended").touch()
    good = run_chapter("llnm", {"seed": 3})
    assert (good.outcome, good.found) == ("ok", False)
    found = run_chapter("llnm", {"seed": 3, "epochs": 12})  # as the profile says anyway
    assert (found.folder, found.found) == (good.folder, True)
    forced = run_chapter("llnm", {"seed": 3}, force=True)
    assert forced.folder not in (good.folder, failed.folder)
    assert len(list(earlier_runs("llnm", toy_book))) == 3


def test_identity_follows_values_cells_and_code(toy_book, write_chapter):
    plan = Planner(toy_book).plan("llnm", {"seed": 3})
    assert Planner(toy_book).plan("llnm", {"seed": 3}).identity == plan.identity
    assert Planner(toy_book).plan("llnm", {"seed": 4}).identity != plan.identity
    write_chapter("print(profile, seed)")
    assert Planner(toy_book).plan("llnm", {"seed": 3}).identity != plan.identity
    assert plan.cohort_digest is None
    assert plan.given == {"seed": 3}
    assert plan.recorded["epochs"] == 12


def test_book_and_run_mean_the_same_by_the_same_run(toy_book):
    (plan,) = make_plans(read_pages(toy_book), toy_book, "smoke", {"seed": 3})
    values = {"profile": "smoke", "seed": 3}
    assert Planner(toy_book).plan("llnm", values).identity == plan.run.identity


def test_another_file_of_weights_is_another_run(toy_book):
    weights = toy_book / "a.safetensors"
    weights.write_bytes(b"1")
    first = Planner(toy_book).plan("llnm", {"weights": str(weights)})
    weights.write_bytes(b"2")
    second = Planner(toy_book).plan("llnm", {"weights": str(weights)})
    assert first.recorded == second.recorded
    assert first.identity != second.identity


def test_missing_notebook_is_named(toy_book):
    (toy_book / "book" / "studies" / "llnm.ipynb").unlink()
    with pytest.raises(InputError, match=r"book/studies/llnm\.ipynb is missing"):
        Planner(toy_book).plan("llnm", {})
