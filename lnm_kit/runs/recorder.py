"""What a chapter leaves behind: metrics, predictions, figures and the time of its stages."""

import contextlib
import json
import math
import re
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, Self

import numpy as np
from numpy.typing import ArrayLike

from lnm_kit.progress import report
from lnm_kit.runs.cluster import spread_loops
from lnm_kit.runs.environment import describe_device, git_revision, package_versions
from lnm_kit.runs.files import write_atomically, write_json, write_toml
from lnm_kit.runs.folder import RUN_FILE, open_run_folder
from lnm_kit.runs.schemas import CommonParameters

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure
    from torch import nn

    from lnm_kit.cohort import Cohort
    from lnm_kit.training.model_forms import ContrastForm, PairForm

METRICS_FILE = "metrics.json"
PREDICTIONS_FILE = "predictions.parquet"
STAGES_FILE = "stages.json"
MODELS_FOLDER = "models"
UNDEFINED = "undefined"
EACH_NETWORK = "one for each fold of the training split"
THRESHOLD_FROM = "chosen on held-out folds of the training split"


class EstimateLike(Protocol):
    """A value with its interval and how the interval was found."""

    @property
    def value(self) -> float: ...  # noqa: D102
    @property
    def lo(self) -> float: ...  # noqa: D102
    @property
    def hi(self) -> float: ...  # noqa: D102
    @property
    def method(self) -> str: ...  # noqa: D102


@dataclass
class Recorder:
    """Writes the results of one run into its folder; every call leaves whole files behind.

    Under ``lnm run`` this is the folder of that run. Under plain papermill and in an interactive
    kernel it is a fresh one, ``runs/<chapter>/<time>-<id>/`` in the working folder.
    """

    folder: Path
    parameters: CommonParameters
    owns_folder: bool
    started: float = field(default_factory=time.monotonic)
    _metrics: dict[tuple[str, str, str], dict[str, Any]] = field(default_factory=dict)
    _predictions: dict[tuple[str, str], Any] = field(default_factory=dict)
    _stages: dict[str, float] = field(default_factory=dict)

    @classmethod
    def open(cls, chapter: str, parameters: CommonParameters) -> Self:
        """Start recording the run that this process is part of, or a fresh one.

        Where the run was given a Dask cluster, joblib's loops go there from now on.
        """
        spread_loops()
        folder, fresh = open_run_folder(chapter)
        if fresh:
            write_toml(folder / "params.toml", parameters.model_dump())
        return cls(folder=folder, parameters=parameters, owns_folder=fresh)

    def metric(self, model: str, split: str, metric: str, estimate: EstimateLike) -> None:
        """Record one number with its interval; a second one of the same name replaces the first.

        An undefined estimate, whose method says so, is kept as null with its reason.

        Raises
        ------
        ValueError
            When the value or a limit is not finite and the method does not say why.
        """
        numbers = {name: float(getattr(estimate, name)) for name in ("value", "lo", "hi")}
        missing = [name for name, number in numbers.items() if not math.isfinite(number)]
        if missing and not estimate.method.startswith(UNDEFINED):
            raise ValueError(f"{metric} of {model} on {split}: {', '.join(missing)} is not finite")
        row = {
            "model": model,
            "split": split,
            "metric": metric,
            **{name: None if missing else number for name, number in numbers.items()},
            "method": estimate.method,
        }
        self._metrics[model, split, metric] = row
        write_json(self.folder / METRICS_FILE, list(self._metrics.values()))

    def predictions(
        self,
        model: str,
        split: str,
        case_ids: Sequence[str],
        probability: ArrayLike,
        label: ArrayLike,
    ) -> None:
        """Record the predicted probability and the label of every case of a split.

        Raises
        ------
        ValueError
            When lengths differ, a case comes twice, a probability is outside [0, 1] or missing,
            or a label is neither 0 nor 1.
        """
        import pandas as pd

        scores, labels = np.asarray(probability, dtype=float), np.asarray(label)
        if not len(case_ids) == len(scores) == len(labels):
            counts = f"{len(case_ids)} cases, {len(scores)} scores, {len(labels)} labels"
            raise ValueError(f"predictions of {model} on {split}: {counts}")
        table = pd.DataFrame(
            {
                "case_id": [str(case) for case in case_ids],
                "split": split,
                "model": model,
                "probability": scores,
                "label": labels,
            }
        )
        if table.case_id.duplicated().any():
            raise ValueError(f"predictions of {model} on {split}: a case comes twice")
        if not table.probability.between(0, 1).all():
            raise ValueError(f"predictions of {model} on {split}: not all are within [0, 1]")
        if not table.label.isin([0, 1]).all():
            raise ValueError(f"predictions of {model} on {split}: a label is neither 0 nor 1")
        self._predictions[model, split] = table.astype({"label": "int64"})
        together = pd.concat(self._predictions.values(), ignore_index=True)
        write_atomically(
            self.folder / PREDICTIONS_FILE, lambda part: together.to_parquet(part, index=False)
        )

    def figure(self, figure: "Figure", name: str) -> None:
        """Save a figure as PNG and SVG under ``figures/``."""
        if not re.fullmatch(r"[a-z0-9][a-z0-9_-]*", name):
            raise ValueError(f"figure name {name!r}: small letters, digits, - and _ only")
        import matplotlib as mpl

        folder = self.folder / "figures"
        folder.mkdir(exist_ok=True)
        # the same figure must give the same bytes, so that runs can be compared
        with mpl.rc_context({"svg.hashsalt": name}):
            write_atomically(
                folder / f"{name}.png",
                lambda part: figure.savefig(part, dpi=150, bbox_inches="tight"),
            )
            write_atomically(
                folder / f"{name}.svg",
                lambda part: figure.savefig(part, bbox_inches="tight", metadata={"Date": None}),
            )

    def model(
        self,
        name: str,
        networks: "Sequence[nn.Module]",
        *,
        architecture: str,
        image_size_px: int,
        cohort: "Cohort",
        threshold: float,
        views: Sequence[str] = (),
        margin: float = 0.15,
        form: "ContrastForm | PairForm | None" = None,
        label: "pd.Series[int] | None" = None,
        each_network: str = EACH_NETWORK,
        threshold_from: str = THRESHOLD_FROM,
    ) -> None:
        """Keep trained networks as a model that ``lnm predict`` reads, with a card.

        Call it after the metrics of this name were recorded: they go on the card.

        Parameters
        ----------
        name
            The model's name, the same as in its metrics.
        networks
            Trained; the probability of the model is the mean of theirs. From `build_network`, or
            what `form` describes.
        architecture
            The name that the networks, or their branches, were built by.
        image_size_px, margin
            How the regions were cut; see :func:`lnm_kit.regions.crop_regions`.
        cohort
            What was trained and measured on.
        threshold
            From which probability a case is called positive.
        views
            The views that are the channels; without, every image was one of its own.
        form
            What networks of several modalities read of a case; `views` and `margin` are not used
            then.
        label
            What was learned, of the cases that took part; by default the label of all cases.
        each_network, threshold_from
            What was trained how often, and where the threshold was chosen, in the card's words.

        Raises
        ------
        ValueError
            When the name has no letter or digit, or a value cannot stand on a card.
        InputError
            When the networks are not what `architecture` and `form` say.
        """
        from lnm_kit.runs.kept_model import describe_model
        from lnm_kit.training.model_file import write_model
        from lnm_kit.training.model_forms import ImageForm

        folder = re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_")
        if not folder:
            raise ValueError(f"model name {name!r}: it needs a letter or a digit")
        about = describe_model(
            self.parameters, cohort, name=name, metrics=list(self._metrics.values()), label=label
        )
        channels = int(getattr(networks[0], "in_channels", 0)) if networks else 0
        about |= {
            "architecture": architecture,
            "image_size_px": image_size_px,
            "form": form or ImageForm(in_channels=channels, views=list(views), margin=margin),
            "each_network": each_network,
            "threshold": threshold,
            "threshold_from": threshold_from,
        }
        (self.folder / MODELS_FOLDER).mkdir(exist_ok=True)
        write_model(self.folder / MODELS_FOLDER / folder, networks, about)

    @contextlib.contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Measure the wall time of a stage, and show it as what the run is doing.

        Examples
        --------
        Inside of a chapter::

            with recorder.stage("radiomics"):
                features = extract_features(cohort, ...)
        """
        began = time.monotonic()
        report(name, 0, 1, 0.0)
        try:
            yield
        finally:
            seconds = time.monotonic() - began
            report(name, 1, 1, seconds)
            self._stages[name] = round(self._stages.get(name, 0.0) + seconds, 3)
            self._write_stages()

    @property
    def stages_s(self) -> dict[str, float]:
        """Wall time of each finished stage, in seconds."""
        return dict(self._stages)

    def close(self) -> None:
        """Finish the run; outside of ``lnm run`` this writes its ``run.json``."""
        self._write_stages()
        if not self.owns_folder:
            return
        device, stages = read_stages(self.folder)
        record = {
            "chapter": self.parameters.chapter,
            "outcome": "ok",
            "seed": self.parameters.seed,
            "device": device,
            "stages_s": stages,
            "wall_time_s": round(time.monotonic() - self.started, 3),
            "git_revision": git_revision(Path(__file__).parent),
            "versions": package_versions(),
        }
        write_json(self.folder / RUN_FILE, record)

    def _write_stages(self) -> None:
        device = describe_device(self.parameters.device)
        write_json(self.folder / STAGES_FILE, {"device": device, "stages_s": self._stages})


def read_stages(folder: Path) -> tuple[str | None, dict[str, float]]:
    """Return the device of a run and the wall time of its stages, in s, as far as recorded."""
    path = folder / STAGES_FILE
    if not path.is_file():
        return None, {}
    recorded = json.loads(path.read_text(encoding="utf-8"))
    return recorded["device"], recorded["stages_s"]
