"""Do all faults and print the table: ``python -m tests.faults``; exit code 1 where one differs."""

import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.faults.cases import FAULTS, Fault
from tests.faults.place import NotPossibleHereError, Place

# more than processors: half of the time is spent waiting for what was started
AT_ONCE = 3


def done(fault: Fault) -> tuple[str, str, str, str]:
    """Return outcome, exit code, time and verdict."""
    began = time.monotonic()
    with TemporaryDirectory() as folder:
        try:
            seen = fault.act(Place(Path(folder)))
        except NotPossibleHereError as reason:
            return "", "", "", f"not done: {reason}"
        except (AssertionError, TimeoutError) as error:
            return "", "", "", f"**wrong**: {' '.join(str(error).split())[:300]}"
    right = (seen.outcome, seen.code) == (fault.outcome, fault.code) and fault.says in seen.said
    verdict = "as it must be" if right else f"**wrong**: {' '.join(seen.said.split())[-300:]}"
    took = f"{time.monotonic() - began:.0f} s"
    return seen.outcome or "no run", str(seen.code), took, verdict


def main() -> int:
    """Print the table and return the exit code."""
    chosen = [fault for fault in FAULTS if all(word in fault.name for word in sys.argv[1:])]
    write = sys.stdout.write
    write("| Fault | Outcome | Exit code | Time | |\n|---|---|---|---|---|\n")
    began, wrong = time.monotonic(), 0
    with ThreadPoolExecutor(AT_ONCE) as pool:
        for fault, row in zip(chosen, pool.map(done, chosen), strict=True):
            wrong += "wrong" in row[-1]
            write(f"| {fault.name.replace('<', '&lt;')} | {' | '.join(row)} |\n")
            sys.stdout.flush()
    took = time.monotonic() - began
    write(f"\n{len(chosen)} faults, {wrong} not as they must be, {took:.0f} s\n")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
