import dataclasses
import errno
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from lnm_kit.cohort import CohortInfo, load_cohort, staged_folder, write_cohort
from lnm_kit.errors import InputError


def files(folder):
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


def test_what_was_written_is_loaded(small_cohort, tables):
    loaded = load_cohort(small_cohort.root)
    cases, images = tables
    pd.testing.assert_frame_equal(loaded.cases, cases.set_index("case_id"))
    pd.testing.assert_frame_equal(loaded.images, images.set_index("image_id"))
    assert loaded.info == small_cohort.info
    assert loaded.truth is None


def test_writing_what_was_loaded_changes_no_byte(small_cohort):
    before = files(small_cohort.root)
    loaded = load_cohort(small_cohort.root)
    write_cohort(loaded.root, loaded.info, loaded.cases, loaded.images)
    assert files(small_cohort.root) == before


def test_floats_survive_to_the_last_bit(small_cohort):
    cases = small_cohort.cases.assign(score=np.random.default_rng(0).normal(size=8) / 3)
    write_cohort(small_cohort.root, small_cohort.info, cases, small_cohort.images)
    assert (load_cohort(small_cohort.root).cases["score"] == cases["score"]).all()


def test_truth_is_kept_with_a_simulated_cohort(tmp_path, tables):
    info = CohortInfo(
        **{"name": "s", "endpoint": "e", "positive": "p", "source": "s", "licence": "l"},
        simulated=True,
        seed=1,
        signal=1.0,
    )
    cases, images = tables
    truth = pd.DataFrame({"case_id": cases["case_id"], "aggressiveness": 0.5, "probability": 0.25})
    assert write_cohort(tmp_path / "s", info, cases, images, truth).truth is not None
    assert (load_cohort(tmp_path / "s").truth["probability"] == 0.25).all()


def test_a_wrong_table_writes_nothing(small_cohort, tables, info):
    before = files(small_cohort.root)
    cases, images = tables
    cases.loc[0, "label"] = 2
    with pytest.raises(InputError, match="label is '2'"):
        write_cohort(small_cohort.root, info, cases, images)
    assert files(small_cohort.root) == before


def test_a_full_disk_writes_nothing(small_cohort, tables, info, monkeypatch):
    before = files(small_cohort.root)
    write_text = Path.write_text

    def full(path, text, **options):
        write_text(path, text[:10], **options)
        if "images" in path.name:
            raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Path, "write_text", full)
    with pytest.raises(InputError, match="no space left"):
        write_cohort(small_cohort.root, info, *tables)
    assert files(small_cohort.root) == before


def test_the_digest_is_of_the_content_not_of_the_place(small_cohort, tmp_path):
    copy = tmp_path / "elsewhere"
    shutil.copytree(small_cohort.root, copy)
    assert load_cohort(copy).digest() == load_cohort(small_cohort.root).digest()


@pytest.mark.parametrize("name", ["images/i3.png", "masks/i3.png"])
def test_the_digest_sees_every_image_file(small_cohort, name):
    before = small_cohort.digest()
    path = small_cohort.root / name
    path.write_bytes(path.read_bytes() + b"\0")
    assert small_cohort.digest() != before


def test_the_digest_sees_the_tables_as_they_are_in_memory(small_cohort):
    part = dataclasses.replace(small_cohort, cases=small_cohort.cases.iloc[:5])
    other = dataclasses.replace(
        small_cohort, info=small_cohort.info.model_copy(update={"positive": "label 0"})
    )
    assert len({cohort.digest() for cohort in (small_cohort, part, other)}) == 3


def test_the_digest_of_a_missing_image_is_an_input_error(small_cohort):
    (small_cohort.root / "images/i0.png").unlink()
    with pytest.raises(InputError, match=r"images/i0\.png"):
        small_cohort.digest()


def test_a_staged_folder_appears_whole_or_not_at_all(tmp_path):
    with staged_folder(tmp_path / "new") as part:
        (part / "a").write_text("1")
        assert not (tmp_path / "new").exists()
    assert files(tmp_path) == {"new/a": b"1"}
    with pytest.raises(FileNotFoundError), staged_folder(tmp_path / "other") as part:
        (part / "a").write_text((tmp_path / "missing").read_text())
    assert files(tmp_path) == {"new/a": b"1"}


def test_a_failed_replacement_keeps_the_old_folder(tmp_path):
    with staged_folder(tmp_path / "new") as part:
        (part / "a").write_text("old")
    with (
        pytest.raises(InputError, match="no space left"),
        staged_folder(tmp_path / "new", replace=True),
    ):
        raise OSError(errno.ENOSPC, "No space left on device")
    assert files(tmp_path) == {"new/a": b"old"}
    with staged_folder(tmp_path / "new", replace=True) as part:
        (part / "a").write_text("new")
    assert files(tmp_path) == {"new/a": b"new"}


def test_a_folder_that_may_not_be_written(tmp_path, tables, info):
    (tmp_path / "file").write_text("x")
    with pytest.raises(InputError, match="cannot be written"):
        write_cohort(tmp_path / "file" / "cohort", info, *tables)
