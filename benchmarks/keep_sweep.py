"""Keep the metrics of a finished sweep over seeds for the chapter that shows them.

    python -m benchmarks.keep_sweep runs/dgfnet/sweeps/TIME-ID

They go to ``lnm_kit/measured/sweeps.json``, with the command that gave them.
"""

import argparse
import json
from datetime import UTC, datetime
from pathlib import Path

import pandas as pd

from lnm_kit.measured.sweeps import SWEEPS_FILE
from lnm_kit.runs.sweep import SWEEP_FILE
from lnm_kit.runs.sweep_results import RESULTS_FILE

METRICS = ("auc", "auc_difference")
COLUMNS = ["model", "split", "metric", "n_runs", "value", "lo", "hi"]


def command_of(sweep: dict) -> str:
    """The command of a sweep, as it can be given again."""
    values = [
        f"-p {name}={','.join(str(value) for value in given)}"
        for name, given in sweep["grid"].items()
    ]
    return " ".join(["lnm sweep", ",".join(sweep["chapters"]), *values])


def keep(folder: Path, path: Path = SWEEPS_FILE) -> None:
    """Replace a chapter's rows; the other chapters' stay.

    Raises
    ------
    SystemExit
        When the sweep is not of one chapter, not finished, or varies more than its seed.
    """
    sweep = json.loads((folder / SWEEP_FILE).read_text(encoding="utf-8"))
    if sweep["outcome"] != "ok" or len(sweep["chapters"]) != 1:
        raise SystemExit(f"{folder.name}: needed is a finished sweep of one chapter")
    varied = [name for name, values in sweep["grid"].items() if len(values) > 1]
    if varied != ["seed"]:
        raise SystemExit(f"{folder.name}: {', '.join(varied) or 'nothing'} is varied, not the seed")
    rows = pd.read_csv(folder / RESULTS_FILE)
    rows = rows.loc[rows.metric.isin(METRICS), COLUMNS].round(4)
    every = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    every[sweep["chapters"][0]] = {
        "command": command_of(sweep),
        "measured": datetime.now(UTC).date().isoformat(),
        "rows": json.loads(rows.to_json(orient="records")),
    }
    part = path.with_suffix(".part")
    part.write_text(json.dumps(every, indent=1, sort_keys=True) + "\n", encoding="utf-8")
    part.replace(path)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    keep(parser.parse_args().folder)


if __name__ == "__main__":
    main()
