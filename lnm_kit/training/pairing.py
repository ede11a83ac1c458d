"""Several images of each nodule in each modality, and the pairs that are made of them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from lnm_kit.cohort.folds import patient_folds
from lnm_kit.errors import InputError


@dataclass(frozen=True)
class ModalityImages:
    """All images of one modality on one device; made by `ModalityImages.of`.

    Parameters
    ----------
    images
        uint8 (A, C, H, W).
    targets
        bool (A, 2, H, W): nodule, and boundary or tissue edges.
    nodule_ids
        A identifiers: the nodule that each image shows.
    area
        float32 (A,), area of the nodule in the image, in any unit that compares within a nodule.
    """

    images: Tensor
    targets: Tensor
    nodule_ids: tuple[str, ...]
    area: Tensor

    @classmethod
    def of(
        cls,
        images: np.ndarray,
        targets: np.ndarray,
        nodule_ids: Sequence[str],
        area: Sequence[float] | np.ndarray,
        device: torch.device | str = "cpu",
    ) -> "ModalityImages":
        """Put images on a device.

        Parameters
        ----------
        images
            uint8 (A, H, W), or (A, C, H, W) for several channels.
        targets
            bool or 0/1, (A, 2, H, W).
        nodule_ids, area
            A of each. The area is that of the mask in the original image: after cropping, all
            nodules fill about the same part of their square.
        device
            Where training computes: ``fabric.device``.

        Raises
        ------
        InputError
            Other types, shapes or numbers; all are listed.
        """
        stack = images[:, None] if images.ndim == 3 else images
        areas = np.asarray(area, dtype=np.float32)
        problems = []
        if stack.dtype != np.uint8 or stack.ndim != 4 or 0 in stack.shape:
            problems.append(
                f"images are {images.dtype} {images.shape}; allowed: uint8 (A, H, W) or "
                "(A, C, H, W), not empty"
            )
        if targets.shape != (len(images), 2, *images.shape[-2:]):
            problems.append(
                f"targets have shape {targets.shape}; needed: two maps for each image, "
                f"{(len(images), 2, *images.shape[-2:])}"
            )
        elif not np.isin(np.unique(targets), (0, 1)).all():
            problems.append("targets hold values other than 0 and 1")
        if not len(images) == len(nodule_ids) == len(areas):
            problems.append(
                f"{len(images)} images, {len(nodule_ids)} nodule ids and {len(areas)} areas; "
                "needed: as many of each"
            )
        if not (np.isfinite(areas).all() and (areas > 0).all()):
            problems.append("areas are not all finite and above 0")
        if problems:
            raise InputError(f"modality images: {'. '.join(problems)}.")
        return cls(
            torch.from_numpy(np.ascontiguousarray(stack)).to(device),
            torch.from_numpy(targets.astype(bool)).to(device),
            tuple(nodule_ids),
            torch.from_numpy(areas),
        )

    def batch(self, rows: Tensor) -> tuple[Tensor, Tensor]:
        """Images float32 (B, C, H, W) in [0, 1] and targets float32 (B, 2, H, W) of some rows."""
        images = self.images[rows].to(memory_format=torch.channels_last)
        return images.float() / 255, self.targets[rows].float()

    def rows_of(self, nodules: Sequence[str]) -> list[list[int]]:
        """Rows of the images of each nodule."""
        by_nodule: dict[str, list[int]] = {}
        for row, nodule in enumerate(self.nodule_ids):
            by_nodule.setdefault(nodule, []).append(row)
        return [by_nodule[nodule] for nodule in nodules]


@dataclass(frozen=True)
class NoduleBank:
    """Nodules with their label, their patient, and their images in one or more modalities.

    Parameters
    ----------
    modalities
        Name to images, in the order in which a network takes them: ``us`` before ``ct``.
    labels
        Nodule to label, 0 or 1, in the order of the cohort.
    patients
        Nodule to patient.

    Raises
    ------
    InputError
        Nodules without an image in a modality, images of unknown nodules, other labels, nodules
        without a patient; all are listed.
    """

    modalities: Mapping[str, ModalityImages]
    labels: Mapping[str, int]
    patients: Mapping[str, str]

    def __post_init__(self) -> None:
        problems = []
        nodules = set(self.labels)
        for name, images in self.modalities.items():
            shown = set(images.nodule_ids)
            problems += _listed(f"nodules have no {name} image", nodules - shown)
            problems += _listed(f"nodules with {name} images have no label", shown - nodules)
        wrong = {nodule for nodule, label in self.labels.items() if label not in (0, 1)}
        problems += _listed("nodules have a label other than 0 and 1", wrong)
        problems += _listed("nodules have no patient", nodules - set(self.patients))
        if problems or not self.modalities or not nodules:
            raise InputError(f"nodule bank: {'. '.join(problems) or 'no images or no nodules'}.")

    @property
    def device(self) -> torch.device:
        """Where the images are."""
        return next(iter(self.modalities.values())).images.device

    def label(self, nodules: Sequence[str]) -> Tensor:
        """Labels of some nodules, float32 on the device."""
        return torch.tensor([float(self.labels[nodule]) for nodule in nodules], device=self.device)

    def random_rows(self, nodules: Sequence[str], generator: torch.Generator) -> list[Tensor]:
        """Draw one image of each nodule in each modality, independently: the pairs of an epoch.

        Returns
        -------
        One int64 tensor (len(nodules),) of rows for each modality.

        Notes
        -----
        *Source*: G. Li (DGFNet), section "Patient Cohort" of the methods: "During each epoch of
        the training process, one random US image and one random CT image were paired together".
        """
        drawn = []
        for images in self.modalities.values():
            choices = images.rows_of(nodules)
            share = torch.rand(len(nodules), generator=generator).tolist()
            # a float32 just below 1 times a large number may round up to the number itself
            rows = [
                rows[min(int(part * len(rows)), len(rows) - 1)]
                for rows, part in zip(choices, share, strict=True)
            ]
            drawn.append(torch.tensor(rows, dtype=torch.int64, device=self.device))
        return drawn

    def largest_rows(self, nodules: Sequence[str]) -> list[Tensor]:
        """Take the image of each nodule in each modality in which its area is largest.

        Of equal areas the first is taken. Returned as by `random_rows`.

        Notes
        -----
        *Source*: as `random_rows`: "the US and CT images with the largest nodal area".
        """
        return [
            torch.tensor(
                [rows[int(torch.argmax(images.area[rows]))] for rows in images.rows_of(nodules)],
                dtype=torch.int64,
                device=self.device,
            )
            for images in self.modalities.values()
        ]


def undersample(
    nodules: Sequence[str], labels: Mapping[str, int], *, generator: np.random.Generator
) -> list[str]:
    """All nodules of the rarer class and as many of the other, drawn at random; order is kept.

    Raises
    ------
    InputError
        One class only.

    Notes
    -----
    *Source*: G. Li (DGFNet), section "Patient Cohort": "an undersampling strategy was applied [...]
    to maintain a balance between positive and negative categories". Figure 3 shows 954 and 402 of
    1,285 nodules, so the paper seems to have undersampled what it evaluates on, too, which gives
    precision and accuracy at a prevalence that no clinic has. Apply this to training nodules only.

    Examples
    --------
    >>> labels = {"a": 0, "b": 0, "c": 1, "d": 0}
    >>> len(undersample(list(labels), labels, generator=np.random.default_rng(0)))
    2
    """
    values = np.array([labels[nodule] for nodule in nodules])
    rows = [np.flatnonzero(values == value) for value in (0, 1)]
    fewer = min(len(rows[0]), len(rows[1]))
    if fewer == 0:
        raise InputError(
            f"undersampling needs both classes; found {len(rows[1])} positive and {len(rows[0])} "
            "negative nodules."
        )
    kept = np.concatenate([generator.choice(group, fewer, replace=False) for group in rows])
    return [nodules[row] for row in sorted(kept.tolist())]


def nodule_folds(bank: NoduleBank, *, folds: int, seed: int) -> list[tuple[list[str], list[str]]]:
    """Split the nodules into folds by patient, and undersample the training part of each.

    Parameters
    ----------
    bank
        Labels and patients of the nodules.
    folds
        8 in the paper.
    seed
        Of folds and undersampling.

    Returns
    -------
    For each fold, the nodules to train on (as many of each class) and all that are held out.

    Raises
    ------
    InputError
        Too few patients of a class.

    Notes
    -----
    *Source*: G. Li (DGFNet), section "Patient Cohort": eight folds of nodules, those of one patient
    in the same fold.
    """
    nodules = list(bank.labels)
    labels = np.array([bank.labels[nodule] for nodule in nodules])
    patients = [bank.patients[nodule] for nodule in nodules]
    result = []
    for fold, (fitted, held_out) in enumerate(
        patient_folds(labels, patients, folds=folds, seed=seed)
    ):
        training = undersample(
            [nodules[row] for row in fitted],
            bank.labels,
            generator=np.random.default_rng([seed, fold]),
        )
        result.append((training, [nodules[row] for row in held_out]))
    return result


def _listed(claim: str, nodules: set[str]) -> list[str]:
    if not nodules:
        return []
    some = ", ".join(sorted(nodules)[:5]) + (", ..." if len(nodules) > 5 else "")
    return [f"{len(nodules)} {claim}: {some}"]
