"""What the tests of the study chapters share: cohorts to be spoiled, runs, and refusals."""

import io
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from contextlib import redirect_stdout
from pathlib import Path
from unittest.mock import patch

import nbformat
import numpy as np
import pandas as pd

from lnm_kit.cohort import Cohort
from lnm_kit.errors import InputError
from lnm_kit.simulate import Frame, Nodule, frames, simulate_cohort
from lnm_kit.training import open_fabric
from lnm_kit.training.model_file import Model, read_model
from lnm_kit.training.model_prediction import predict_cohort

LNM = Path(sys.executable).with_name("lnm")
STUDIES = Path(__file__).resolve().parents[1] / "book" / "studies"


def smallest_cohort(study: str, cache: Path, root: Path) -> Path:
    """Write a copy of the smallest simulated cohort of a study, frames of noise, to be spoiled."""
    noise = patch.multiple(frames, render=_noise)
    with patch.dict(os.environ, LNM_CACHE=str(cache)), noise:
        simulated = simulate_cohort(study, seed=0, signal=1.0, size=0.1)
    return Path(shutil.copytree(simulated, root))


def _noise(nodule: Nodule, scanner: object, *, plane: str, seed: int) -> Frame:
    """Noise for a frame, quickly: nothing is learned from it here."""
    rng = np.random.default_rng(seed)
    rows, columns = np.mgrid[:90, :120]
    across, deep = rng.uniform((9, 8), (17, 13))
    mask = np.hypot((columns - 60) / across, (rows - 45) / deep) < 1
    gray = rng.integers(1, 255, mask.shape, dtype=np.uint8)
    return Frame(gray, mask, (0.3, 0.3))


def change(table: Path, how: Callable[[pd.DataFrame], pd.DataFrame]) -> None:
    """Rewrite a table of a cohort; all values are text."""
    rows = pd.read_csv(table, dtype=str, keep_default_na=False)
    how(rows).to_csv(table, index=False)


def positives_kept(cases: pd.DataFrame, split: str, n: int) -> pd.DataFrame:
    """Leave this many positive patients in a split."""
    positive = cases[(cases.split == split) & (cases.label == "1")].patient_id.unique()
    cases.loc[cases.patient_id.isin(positive[n:]), "label"] = "0"
    return cases


def run_chapter(chapter: str, folder: Path, *assignments: str) -> Path:
    """Run a chapter in the smoke profile, as a reader does, and return its run folder."""
    words = [word for assignment in assignments for word in ("-p", assignment)]
    done = subprocess.run(
        [LNM, "run", chapter, "-p", "profile=smoke", *words],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    (run,) = (folder / "runs" / chapter).iterdir()
    return run


def kept_models(run: Path) -> dict[str, Model]:
    """The models that a run left, by name, read as `lnm predict` reads them."""
    found = [read_model(folder) for folder in sorted((run / "models").iterdir())]
    return {model.card.name: model for model in found}


def check_predictions(model: Model, cohort: Cohort, run: Path) -> int:
    """Predict a cohort as `lnm predict` does, and hold it against what the chapter recorded.

    Training cases are left out: a chapter records what is held out, or says "learned". Returns the
    number of cases compared.
    """
    found = predict_cohort(model, cohort, fabric=open_fabric()).set_index("case_id").probability
    recorded = pd.read_parquet(run / "predictions.parquet").query("split != 'training'")
    own = recorded[recorded.model == model.card.name].set_index("case_id").probability
    # a processor with bfloat16 may round differently with other cases in the batch
    np.testing.assert_allclose(found[own.index], own, rtol=0, atol=1e-3)
    assert own.empty or np.corrcoef(found[own.index], own)[0, 1] > 0.99
    return len(own)


def text_of(run: Path) -> str:
    """All that the executed cells show as text."""
    cells = nbformat.read(run / "notebook.ipynb", as_version=4).cells
    outputs = [output for cell in cells for output in cell.get("outputs", [])]
    assert not any(output.output_type == "error" for output in outputs)
    shown = [output.get("data", {}) for output in outputs]
    return "\n".join(data.get("text/markdown", data.get("text/plain", "")) for data in shown)


def refusal(chapter: str, cohort: Path, **parameters: object) -> str:
    """Execute a chapter's cells until one refuses the cohort, and return what it says.

    The cells are executed in this process, whose libraries are loaded already; that a refusal in a
    notebook ends the command with exit code 2 and this message alone is tested with one chapter.
    """
    cells = nbformat.read(STUDIES / f"{chapter}.ipynb", as_version=4).cells
    here = {"LNM_RUN_FOLDER": str(cohort.parent / "run"), "LNM_CACHE": str(cohort.parent / "cache")}
    (cohort.parent / "run").mkdir()
    given = {"profile": "smoke", "cohort": str(cohort), **parameters}
    namespace: dict[str, object] = {}
    with patch.dict(os.environ, here), redirect_stdout(io.StringIO()):
        for cell in cells:
            if cell.cell_type != "code":
                continue
            try:
                exec(cell.source, namespace)
            except InputError as error:
                return str(error)
            if "parameters" in cell.metadata.get("tags", []):
                namespace |= given
    raise AssertionError(f"{chapter} went on to its end")
