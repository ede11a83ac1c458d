"""What an import of a public data set found and did."""

from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd

REPORT = "import_report.csv"


@dataclass
class ImportReport:
    """What an import found and did: counts, and one row a finding.

    `findings` has the columns case, frame (empty: the whole case), found, done; it is also
    written as ``import_report.csv`` into the cohort folder.
    """

    folder: Path
    n_source_cases: int = 0
    n_source_frames: int = 0
    n_cases: int = 0
    n_frames: int = 0
    n_images: int = 0
    n_positive: int = 0
    n_dual: int = 0
    n_copies: int = 0
    splits: dict[str, int] = field(default_factory=dict)
    rows: list[tuple[str, str, str, str]] = field(default_factory=list)

    @property
    def findings(self) -> pd.DataFrame:
        """Return the findings as a table."""
        return pd.DataFrame(self.rows, columns=["case", "frame", "found", "done"])

    def summary(self) -> str:
        """Return the import in a few lines."""
        left_out = [row for row in self.rows if row[3] == "left out"]
        whole = Counter(found.split(":")[0] for _, frame, found, _ in left_out if not frame)
        single = Counter(found.split(":")[0] for _, frame, found, _ in left_out if frame)
        splits = ", ".join(f"{name} {count}" for name, count in self.splits.items())
        imported = f"{self.n_cases} of {self.n_source_cases} cases and {self.n_frames} of"
        imported += f" {self.n_source_frames} frames imported into {self.folder}"
        imported += f" as {self.n_images} images"
        positive = f"{self.n_positive} positive (TI-RADS 4b, 4c, 5)"
        lines = [
            imported,
            f"  {positive}, {self.n_cases - self.n_positive} negative (2, 3, 4a)",
            f"  splits (ours, by case, stratified): {splits}",
            f"  frames with two planes side by side, cut in the middle: {self.n_dual}",
        ]
        lines += [f"  cases left out, {found}: {count}" for found, count in whole.items()]
        lines += [f"  frames left out, {found}: {count}" for found, count in single.items()]
        lines.append(f"  source frames with the pixels of another one: {self.n_copies}")
        lines.append(f"  every finding: {self.folder / REPORT}")
        return "\n".join(lines)

    def add(self, case: str, frame: str, found: str, done: str) -> None:
        """Note one finding."""
        self.rows.append((case, frame, found, done))
