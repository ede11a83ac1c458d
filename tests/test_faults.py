"""Every fault leaves the true outcome, the right exit code, and words on what to do."""

import pytest

from tests.faults import FAULTS
from tests.faults.place import NotPossibleHereError, Place


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_fault_is_survived(fault, tmp_path):
    try:
        seen = fault.act(Place(tmp_path))
    except NotPossibleHereError as reason:
        pytest.skip(str(reason))
    assert (seen.outcome, seen.code) == (fault.outcome, fault.code), seen.said
    assert fault.says in seen.said
    assert "Traceback" not in seen.said
