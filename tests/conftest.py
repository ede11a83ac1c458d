"""What the tests share: the development data when they are at hand, and one thread per worker."""

import os
from pathlib import Path

import pytest

# Each of several test workers would otherwise start as many threads as there are cores.
os.environ.setdefault("OMP_NUM_THREADS", "1")

REPOSITORY = Path(__file__).resolve().parents[1]


def development_data(name: str) -> Path:
    """Folder of a public data set beside the checkout or under LNM_DATA; skip without it."""
    base = Path(os.environ.get("LNM_DATA", REPOSITORY.parent / "shared" / "data"))
    folder = base / name
    if not folder.is_dir():
        pytest.skip(f"needs the public data set {name}, which is not part of the project")
    return folder


@pytest.fixture(scope="session")
def ddti_source() -> Path:
    """The public DDTI form: JPG frames and XML polygons in one folder."""
    return development_data("ddti")


@pytest.fixture(scope="session")
def repository() -> Path:
    """The checkout that the tests run in."""
    return REPOSITORY


@pytest.fixture(scope="session")
def shared_cache(tmp_path_factory) -> Path:
    """A cache of simulated cohorts that all workers of this session share."""
    base = tmp_path_factory.getbasetemp()
    return (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "simulated"
