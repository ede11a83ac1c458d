"""All images of a cohort as one tensor on the device, so that a batch is one indexing step."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from lnm_kit.errors import InputError


@dataclass(frozen=True)
class ImageBank:
    """Images, labels and cases on one device; made by `ImageBank.of`.

    Parameters
    ----------
    images
        uint8 (N, C, H, W), on the device.
    labels
        float32 (N,) of 0 and 1, on the device; the label of each image's case.
    case_ids
        N identifiers; a case with several images has several rows.
    """

    images: Tensor
    labels: Tensor
    case_ids: tuple[str, ...]

    @classmethod
    def of(
        cls,
        images: np.ndarray,
        labels: Sequence[int] | np.ndarray,
        case_ids: Sequence[str],
        device: torch.device | str = "cpu",
    ) -> "ImageBank":
        """Put images on a device.

        Parameters
        ----------
        images
            uint8 (N, H, W), or (N, C, H, W) for several channels.
        labels
            0 or 1 for each image.
        case_ids
            The case of each image.
        device
            Where training computes: ``fabric.device``.

        Raises
        ------
        InputError
            Not uint8, another number of images, labels or cases, labels other than 0 and 1, or a
            case with two labels; all are listed.

        Examples
        --------
        >>> bank = ImageBank.of(np.zeros((3, 8, 8), np.uint8), [0, 0, 1], ["a", "a", "b"])
        >>> bank.images.shape, bank.cases
        (torch.Size([3, 1, 8, 8]), {'a': 0, 'b': 1})
        """
        values = np.asarray(labels)
        problems = _problems(images, values, case_ids)
        if problems:
            raise InputError(f"image bank: {'. '.join(problems)}.")
        stack = images[:, None] if images.ndim == 3 else images
        tensor = torch.from_numpy(np.ascontiguousarray(stack)).to(device)
        label = torch.from_numpy(values.astype(np.float32)).to(device)
        return cls(tensor, label, tuple(case_ids))

    @property
    def cases(self) -> dict[str, int]:
        """Label of every case, in the order of the images."""
        return dict(zip(self.case_ids, self.labels.int().tolist(), strict=True))

    def rows(self, cases: Sequence[str]) -> Tensor:
        """Rows of all images of some cases, int64 on the device, case by case.

        Raises
        ------
        InputError
            A case that is not in the bank, or one that is named twice.
        """
        by_case: dict[str, list[int]] = {}
        for row, case in enumerate(self.case_ids):
            by_case.setdefault(case, []).append(row)
        missing = [case for case in cases if case not in by_case]
        if missing:
            raise InputError(
                f"{len(missing)} cases have no image in the bank: {_some(missing)}. "
                f"The bank holds {len(by_case)} cases."
            )
        twice = (
            sorted({case for case in cases if list(cases).count(case) > 1})
            if (len(set(cases)) < len(cases))
            else []
        )
        if twice:
            raise InputError(f"{len(twice)} cases are named twice: {_some(twice)}.")
        return torch.tensor(
            [row for case in cases for row in by_case[case]],
            dtype=torch.int64,
            device=self.images.device,
        )

    def batch(self, rows: Tensor) -> Tensor:
        """Images of some rows as float32 (B, C, H, W) in [0, 1], channels last in memory."""
        images = self.images[rows].to(memory_format=torch.channels_last)
        return images.float() / 255

    def gray_statistics(self, rows: Tensor) -> tuple[Tensor, Tensor]:
        """Mean and SD per channel, float32 (C,), of gray values in [0, 1] over some rows.

        Give the rows of training cases only: anything else leaks into what is learned.
        """
        # histograms are exact and small, where the images as floats would take four times the space
        gray = torch.arange(256, dtype=torch.float64, device=self.images.device) / 255
        means, sds = [], []
        for channel in range(self.images.shape[1]):
            pixels = self.images[rows, channel].flatten().long()
            share = torch.bincount(pixels, minlength=256).double() / len(pixels)
            mean = (share * gray).sum()
            means.append(mean)
            sds.append((share * (gray - mean) ** 2).sum().sqrt())
        # a constant channel (an empty mask, say) is only centered
        sd = torch.stack(sds)
        return torch.stack(means).float(), torch.where(sd > 0, sd, 1.0).float()


def _problems(images: np.ndarray, labels: np.ndarray, case_ids: Sequence[str]) -> list[str]:
    problems = []
    if images.dtype != np.uint8 or images.ndim not in (3, 4) or 0 in images.shape:
        problems.append(
            f"images are {images.dtype} {images.shape}; allowed: uint8 (N, H, W) or (N, C, H, W), "
            "not empty"
        )
    if not len(images) == len(labels) == len(case_ids):
        problems.append(
            f"{len(images)} images, {len(labels)} labels and {len(case_ids)} case ids; "
            "needed: as many of each"
        )
    wrong = sorted({str(value) for value in labels.tolist() if value not in (0, 1)})
    if wrong:
        problems.append(f"labels are {_some(wrong)}; allowed: 0 and 1")
    both = {case for case, value in zip(case_ids, labels.tolist(), strict=False) if value == 0} & {
        case for case, value in zip(case_ids, labels.tolist(), strict=False) if value == 1
    }
    if both:
        problems.append(f"{len(both)} cases have two labels: {_some(sorted(both))}")
    return problems


def _some(words: Sequence[str]) -> str:
    return ", ".join(words[:5]) + (", ..." if len(words) > 5 else "")
