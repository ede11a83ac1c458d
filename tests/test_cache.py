import errno
import json
import logging
import os
import threading

import pytest

import lnm_kit.errors
from lnm_kit.cache import cache_root, cached, find_damage
from lnm_kit.errors import InputError


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("LNM_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


class Stage:
    """Writes two files and counts how often it did."""

    def __init__(self):
        self.calls = 0

    def __call__(self, folder):
        self.calls += 1
        (folder / "a.txt").write_text("a")
        (folder / "below").mkdir()
        (folder / "below" / "b.txt").write_text("b")

    def get(self, **inputs):
        return cached("stage", self, inputs=inputs, code=[lnm_kit.errors])


def test_second_call_with_the_same_inputs_computes_nothing():
    stage = Stage()
    first = stage.get(seed=1, size=0.5, names=["x"])
    assert stage.get(names=["x"], size=0.5, seed=1) == first
    assert stage.calls == 1
    assert (first / "below" / "b.txt").read_text() == "b"
    assert stage.get(seed=2, size=0.5, names=["x"]) != first
    assert stage.calls == 2


def test_failing_computation_leaves_nothing(cache):
    def fail(folder):
        (folder / "half.txt").write_text("half")
        raise RuntimeError("no")

    with pytest.raises(RuntimeError, match="no"):
        cached("stage", fail, inputs={}, code=[lnm_kit.errors])
    assert list((cache / "stage").iterdir()) == []


@pytest.mark.parametrize("damage", ["changed", "missing", "added", "no manifest", "bad manifest"])
def test_damaged_entry_is_computed_again_with_a_warning(damage, caplog):
    stage = Stage()
    entry = stage.get(seed=1)
    match damage:
        case "changed":
            (entry / "a.txt").write_text("b")
        case "missing":
            (entry / "below" / "b.txt").unlink()
        case "added":
            (entry / "c.txt").write_text("c")
        case "no manifest":
            (entry / ".complete").unlink()
        case "bad manifest":
            (entry / ".complete").write_text("{")
    assert find_damage(entry)
    with caplog.at_level(logging.WARNING, logger="lnm_kit"):
        assert stage.get(seed=1) == entry
    assert stage.calls == 2
    assert "damaged" in caplog.text
    assert find_damage(entry) is None


def test_of_two_writers_the_first_wins_and_both_read_the_same(cache):
    both = threading.Barrier(2)
    found = []

    def compute(folder):
        both.wait(10)
        (folder / "who.txt").write_text(threading.current_thread().name)

    def work():
        found.append(cached("stage", compute, inputs={}, code=[lnm_kit.errors]))

    threads = [threading.Thread(target=work) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found[0] == found[1]
    assert find_damage(found[0]) is None
    assert [path.name for path in (cache / "stage").iterdir()] == [found[0].name]


@pytest.mark.parametrize("wrapped", [False, True])
def test_full_disk_is_explained_and_leaves_nothing(cache, wrapped):
    def fail(folder):
        (folder / "half.txt").write_text("half")
        try:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        except OSError as error:
            if wrapped:
                raise RuntimeError("writer failed") from error
            raise

    with pytest.raises(InputError, match="no space left on the disk"):
        cached("stage", fail, inputs={}, code=[lnm_kit.errors])
    assert list((cache / "stage").iterdir()) == []


def test_cache_that_cannot_be_written_is_explained(cache, monkeypatch):
    def refuse(self, *arguments, **options):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(self))

    monkeypatch.setattr("pathlib.Path.mkdir", refuse)
    with pytest.raises(InputError, match="cannot be written to the cache"):
        Stage().get(seed=1)


def test_unreadable_input_is_not_blamed_on_the_cache(tmp_path):
    def fail(folder):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(tmp_path / "image.png"))

    with pytest.raises(PermissionError):
        cached("stage", fail, inputs={}, code=[lnm_kit.errors])


def test_inputs_must_be_plain_and_finite():
    with pytest.raises(ValueError, match="JSON"):
        Stage().get(size=float("nan"))
    with pytest.raises(TypeError):
        Stage().get(size=object())


def test_manifest_names_every_file_with_its_size():
    entry = Stage().get(seed=1)
    files = json.loads((entry / ".complete").read_text())["files"]
    assert {name: size for name, (size, _) in files.items()} == {"a.txt": 1, "below/b.txt": 1}


def test_cache_stands_beside_the_checkout_by_default(monkeypatch, repository):
    monkeypatch.delenv("LNM_CACHE")
    assert cache_root() == repository / ".lnm_cache"
