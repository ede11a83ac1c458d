"""Trainings that are written down after every epoch, so that each can be broken off anywhere."""

import pytest

from lnm_kit.training import checkpoint


@pytest.fixture(autouse=True)
def checkpoint_after_every_epoch(monkeypatch):
    monkeypatch.setattr(checkpoint, "EVERY_S", 0.0)
