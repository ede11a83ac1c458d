"""Images per second of `fit` against the loop of a tutorial and against the device's limit.

All loops train the same network on images of the same size in batches of the same size, in turns,
in one run, so that other load on the machine falls on all of them; the ratios are what counts.

- *tutorial*: float32, PNG files, a DataLoader with workers, torchvision's transforms one by one.
- *frames*: the same, but each region is cut from its whole frame by the mask when it is asked for,
  as code does that reads a cohort as it is stored.
- *in memory*: the same, but the images are decoded and resized before the clock starts.
- *limit*: the network's own steps on one batch of random numbers that lies on the device, in the
  precision of `fit`: no images, no augmentation, no validation. Nothing can be faster than that
  without another network.

    python -m benchmarks.training --network resnet10t --size-px 64
"""

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import nn
from torch.utils.data import DataLoader, Dataset
from torch.utils.flop_counter import FlopCounterMode
from torchvision.transforms import v2

from lnm_kit.networks import build_network
from lnm_kit.regions.crop import region_box
from lnm_kit.simulate.ddti_like import simulated_frame
from lnm_kit.training import ImageBank, TrainingSettings, describe_device, fit, open_fabric

STORED_PX = 224
"""Side of the PNG files: that of the regions which the papers cut."""
N_FRAMES = 16


class Images(Dataset):
    """Images as a tutorial reads them: one by one, transformed on a processor."""

    def __init__(self, images: list[Path] | np.ndarray, labels: np.ndarray, size_px: int) -> None:
        self.images, self.labels = images, labels
        self.vary = v2.Compose(
            [
                v2.ToImage(),
                v2.Resize(size_px, antialias=True),
                v2.RandomRotation(20, v2.InterpolationMode.BILINEAR),
                v2.RandomResizedCrop(size_px, scale=(0.72, 1), ratio=(1, 1), antialias=True),
                v2.RandomHorizontalFlip(),
                v2.ColorJitter(brightness=0.05, contrast=0.15),
                v2.ToDtype(torch.float32, scale=True),
                v2.Normalize([0.5], [0.25]),
            ]
        )

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, index: int) -> tuple[torch.Tensor, np.float32]:
        return self.vary(self.read(self.images[index])), np.float32(self.labels[index])

    def read(self, image: Path | np.ndarray) -> Image.Image | np.ndarray:
        """Return the gray region."""
        return Image.open(image).convert("L") if isinstance(image, Path) else image


class Frames(Images):
    """Regions cut from their frames, ``0.png``, by their masks, ``0_mask.png``."""

    def read(self, image: Path) -> Image.Image:
        """Return the square around the mask."""
        mask = np.asarray(Image.open(image.with_name(f"{image.stem}_mask.png")))
        box = region_box(mask > 0)
        corners = (box.left, box.top, box.left + box.side, box.top + box.side)
        return Image.open(image).convert("L").crop(corners)


def write_frames(folder: Path, n_images: int) -> list[Path]:
    """Write simulated frames and masks as a cohort has them; a few are used again and again."""
    frames = [simulated_frame(seed) for seed in range(N_FRAMES)]
    files = [folder / f"{number}.png" for number in range(n_images)]
    for number, path in enumerate(files):
        frame = frames[number % N_FRAMES]
        Image.fromarray(frame.pixels).save(path)
        mask = frame.masks[0].astype(np.uint8) * 255
        Image.fromarray(mask).save(path.with_name(f"{path.stem}_mask.png"))
    return files


def tutorial_epoch(network: nn.Module, data: Images, batch_size: int, device: torch.device) -> None:
    """Train for one epoch in float32, as most published code does."""
    network.to(device, memory_format=torch.contiguous_format).train()
    optimizer = torch.optim.AdamW(network.parameters(), lr=1e-3)
    criterion = nn.BCEWithLogitsLoss(pos_weight=torch.tensor(9.0, device=device))
    loader = DataLoader(data, batch_size, shuffle=True, drop_last=True, num_workers=2)
    for batch, label in loader:
        optimizer.zero_grad()
        loss = criterion(network(batch.to(device)), label.to(device))
        loss.backward()
        optimizer.step()
        loss.item()


def limit_epoch(network: nn.Module, n_steps: int, size_px: int, batch_size: int, fabric) -> None:
    """Train on the same random numbers in every step, in the precision of `fit`."""
    optimizer = torch.optim.AdamW(network.parameters(), lr=1e-3, fused=True)
    module, optimizer = fabric.setup(network, optimizer)
    module.train()
    batch = torch.rand(batch_size, 1, size_px, size_px, device=fabric.device)
    batch = batch.to(memory_format=torch.channels_last)
    label = (torch.arange(batch_size, device=fabric.device) % 2).float()
    total = torch.zeros((), device=fabric.device)
    for _ in range(n_steps):
        loss = nn.functional.binary_cross_entropy_with_logits(module(batch), label)
        optimizer.zero_grad()
        fabric.backward(loss)
        optimizer.step()
        total += loss.detach()
    total.item()


def operations(network: nn.Module, size_px: int) -> int:
    """Count additions and multiplications of one training step on one image, matrices only."""
    with FlopCounterMode(display=False) as counter:
        network.eval()(torch.rand(1, 1, size_px, size_px)).sum().backward()
    return counter.get_total_flops()


def measure(
    network: str, size_px: int, *, n_images: int, rounds: int, device: str
) -> dict[str, str | int | float | list[float]]:
    """Median images per second of each loop, and the ratios of every round."""
    fabric = open_fabric(device)
    rng = np.random.default_rng(0)
    n_validation, batch_size = 8, 32
    stored = rng.integers(0, 256, (n_images, STORED_PX, STORED_PX), dtype=np.uint8)
    small = rng.integers(0, 256, (n_images + n_validation, size_px, size_px), dtype=np.uint8)
    labels = np.arange(len(small)) % 2
    cases = [str(number) for number in range(len(small))]
    bank = ImageBank.of(small, labels, cases, fabric.device)
    settings = TrainingSettings(epochs=1, batch_size=batch_size)

    def build() -> nn.Module:
        return build_network(network, in_channels=1, weights="none", seed=0)

    with tempfile.TemporaryDirectory() as folder:
        files = [Path(folder) / f"region_{number}.png" for number in range(n_images)]
        for path, pixels in zip(files, stored, strict=True):
            Image.fromarray(pixels).save(path)
        train, held = cases[:n_images], cases[n_images:]
        data = {
            "frames": Frames(write_frames(Path(folder), n_images), labels, size_px),
            "tutorial": Images(files, labels, size_px),
            "in memory": Images(small[:n_images, ..., None], labels, size_px),
        }
        loops: dict[str, Callable[[], object]] = {
            "fit": lambda: fit(build(), bank, train, held, settings, fabric=fabric, seed=0),
            "limit": lambda: limit_epoch(
                build(), n_images // batch_size, size_px, batch_size, fabric
            ),
        }
        for name, images in data.items():
            loops[name] = lambda images=images: tutorial_epoch(
                build(), images, batch_size, fabric.device
            )
        seconds: dict[str, list[float]] = {name: [] for name in loops}
        for round_number in range(rounds + 1):
            for name, loop in loops.items():
                start = time.perf_counter()
                loop()
                if round_number:  # the first round warms up
                    seconds[name].append(time.perf_counter() - start)
    ratios = {
        f"{name} / fit": [
            round(other / ours, 3)
            for ours, other in zip(seconds["fit"], seconds[name], strict=True)
        ]
        for name in (*data, "limit")
    }
    return {
        "network": network,
        "size_px": size_px,
        "device": describe_device(fabric),
        "threads": torch.get_num_threads(),
        "images": n_images,
        "operations an image": operations(build(), size_px),
        **{
            f"{name}, images per second": round(n_images / statistics.median(taken), 1)
            for name, taken in seconds.items()
        },
        **{f"seconds, {name}": values for name, values in ratios.items()},
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--network", default="resnet10t")
    parser.add_argument("--size-px", type=int, default=64)
    parser.add_argument("--n-images", type=int, default=320)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--device", default="auto")
    choice = parser.parse_args()
    result = measure(
        choice.network,
        choice.size_px,
        n_images=choice.n_images,
        rounds=choice.rounds,
        device=choice.device,
    )
    for name, value in result.items():
        if isinstance(value, list):
            value = f"{statistics.median(value):.2f} ({min(value):.2f} to {max(value):.2f})"
        print(f"{name}: {value}")


if __name__ == "__main__":
    main()
