import logging

import pytest
import torch

from lnm_kit.errors import InputError
from lnm_kit.training.checkpoint import Checkpoint, claimed

CPU = torch.device("cpu")


def checkpoint(value=1.0):
    state = {"weight": torch.full((3,), value)}
    row = {"training_loss": 0.1 + 0.2}
    return Checkpoint({"seed": "1"}, state, {"state": {}, "param_groups": []}, [row], 1, None)


def test_what_was_written_is_read_back_to_the_bit(tmp_path):
    checkpoint().write(tmp_path / "state.pt")
    back = Checkpoint.read(tmp_path / "state.pt", {"seed": "1"}, CPU)
    assert torch.equal(back.network["weight"], torch.ones(3))
    assert back.rows == [{"training_loss": 0.1 + 0.2}]


def test_a_write_that_fails_leaves_the_older_checkpoint_and_nothing_else(tmp_path, monkeypatch):
    path = tmp_path / "state.pt"
    checkpoint(1.0).write(path)

    def half_written(self, content):
        with self.open("wb") as file:
            file.write(bytes(content[:10]))
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(type(path), "write_bytes", half_written)
    with pytest.raises(OSError, match="No space left"):
        checkpoint(2.0).write(path)
    assert [found.name for found in tmp_path.iterdir()] == ["state.pt"]
    assert Checkpoint.read(path, {"seed": "1"}, CPU).network["weight"][0] == 1


@pytest.mark.parametrize("content", [b"", b"not a checkpoint", b"PK\x03\x04 broken"])
def test_a_broken_file_is_refused_with_what_to_do(tmp_path, content):
    (tmp_path / "state.pt").write_bytes(content)
    with pytest.raises(InputError, match=r"cannot be read.*Delete it to train from the start"):
        Checkpoint.read(tmp_path / "state.pt", {}, CPU)


def test_a_pickle_that_would_run_code_is_refused_unrun(tmp_path):
    class Trap:
        def __reduce__(self):
            return (open, (str(tmp_path / "ran"), "w"))

    torch.save({"training": Trap()}, tmp_path / "state.pt")
    with pytest.raises(InputError, match="cannot be read"):
        Checkpoint.read(tmp_path / "state.pt", {}, CPU)
    assert not (tmp_path / "ran").exists()


def test_a_checkpoint_of_another_training_is_refused_with_every_difference(tmp_path):
    checkpoint().write(tmp_path / "state.pt")
    with pytest.raises(InputError, match="epochs is 3, there absent; seed is 2, there 1"):
        Checkpoint.read(tmp_path / "state.pt", {"seed": "2", "epochs": "3"}, CPU)


@pytest.mark.parametrize("damage", ["cut short", "a bit changed", "no checkpoint", "other fields"])
def test_a_damaged_one_of_the_cache_is_removed_with_a_warning(tmp_path, caplog, damage):
    path = tmp_path / "key.ckpt"
    checkpoint().write(path)
    content = bytearray(path.read_bytes())
    place = content.find(bytes(torch.ones(3).numpy().tobytes()))
    content[place] ^= 1
    if damage == "other fields":
        torch.save({"training": {}}, path)
    else:
        broken = {"cut short": content[:-300], "a bit changed": content, "no checkpoint": b"x"}
        path.write_bytes(broken[damage])
    with caplog.at_level(logging.WARNING), claimed(path) as own:
        assert own == path
        assert not path.exists()
    assert "is damaged" in caplog.text
    assert list(tmp_path.iterdir()) == []


def test_a_whole_one_is_kept_and_a_second_process_gets_another_path(tmp_path):
    path = tmp_path / "key.ckpt"
    checkpoint().write(path)
    with claimed(path) as first:
        assert first == path
        assert path.exists()
        # a lock belongs to an open file: a second opening is like a second process
        with claimed(path) as second:
            assert second != path
            assert not second.exists()
            checkpoint(2.0).write(second)
        assert not second.exists()
    with claimed(path) as again:
        assert again == path
    assert Checkpoint.read(path, {"seed": "1"}, CPU).network["weight"][0] == 1
    assert [found.name for found in tmp_path.iterdir()] == ["key.ckpt"]
