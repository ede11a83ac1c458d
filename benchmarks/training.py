"""Images per second of `fit` against a plain PyTorch loop, both measured in one run.

The plain loop is what a tutorial writes: float32, a DataLoader, torchvision's transforms image by
image. Rounds alternate, so that other load on the machine falls on both; the ratio is what counts.

    python benchmarks/training.py --network resnet18 --size-px 96
"""

import argparse
import statistics
import time

import numpy as np
import torch
from torch.utils.data import DataLoader, Dataset
from torchvision.transforms import v2

from lnm_kit.networks import build_network
from lnm_kit.training import ImageBank, TrainingSettings, describe_device, fit, open_fabric


class Images(Dataset):
    def __init__(self, images, labels):
        self.images, self.labels = images, labels
        size = images.shape[1]
        self.vary = v2.Compose(
            [
                v2.ToImage(),
                v2.RandomRotation(20, v2.InterpolationMode.BILINEAR),
                v2.RandomResizedCrop(size, scale=(0.72, 1), ratio=(1, 1), antialias=True),
                v2.RandomHorizontalFlip(),
                v2.ColorJitter(brightness=0.05, contrast=0.15),
                v2.ToDtype(torch.float32, scale=True),
                v2.Normalize([0.5], [0.25]),
            ]
        )

    def __len__(self):
        return len(self.images)

    def __getitem__(self, index):
        return self.vary(self.images[index]), np.float32(self.labels[index])


def plain_epoch(network, images, labels, device, batch_size):
    network.to(device).train()
    optimizer = torch.optim.AdamW(network.parameters(), lr=1e-3)
    criterion = torch.nn.BCEWithLogitsLoss(pos_weight=torch.tensor(9.0, device=device))
    loader = DataLoader(Images(images, labels), batch_size, shuffle=True, drop_last=True)
    for batch, label in loader:
        optimizer.zero_grad()
        loss = criterion(network(batch.to(device)), label.to(device))
        loss.backward()
        optimizer.step()
    loss.item()


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--network", default="resnet18")
    parser.add_argument("--size-px", type=int, default=96)
    parser.add_argument("--n-images", type=int, default=320)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--device", default="auto")
    choice = parser.parse_args()

    rng = np.random.default_rng(0)
    n, n_validation, batch_size = choice.n_images, 8, 32
    shape = (n + n_validation, choice.size_px, choice.size_px)
    images = rng.integers(0, 256, shape, dtype=np.uint8)
    labels = np.arange(len(images)) % 2
    cases = [str(number) for number in range(len(images))]
    fabric = open_fabric(choice.device)
    bank = ImageBank.of(images, labels, cases, fabric.device)
    settings = TrainingSettings(epochs=1, batch_size=batch_size)
    seconds = {"fit": [], "plain": []}
    for round_number in range(choice.rounds + 1):
        for loop, taken in seconds.items():
            network = build_network(choice.network, in_channels=1, weights="none", seed=0)
            start = time.perf_counter()
            if loop == "fit":
                fit(network, bank, cases[:n], cases[n:], settings, fabric=fabric, seed=0)
            else:
                plain = network.to(memory_format=torch.contiguous_format)
                plain_epoch(plain, images[:n, ..., None], labels[:n], fabric.device, batch_size)
            if round_number:  # the first round warms up
                taken.append(time.perf_counter() - start)
    rate = {loop: n / statistics.median(taken) for loop, taken in seconds.items()}
    ratios = [plain / ours for ours, plain in zip(seconds["fit"], seconds["plain"], strict=True)]
    print(
        f"{choice.network}, {choice.size_px} px, {describe_device(fabric)}, "
        f"{torch.get_num_threads()} threads: fit {rate['fit']:.0f} images/s, plain loop "
        f"{rate['plain']:.0f} images/s, ratio {statistics.median(ratios):.2f} "
        f"({min(ratios):.2f} to {max(ratios):.2f} in {choice.rounds} rounds)"
    )


if __name__ == "__main__":
    main()
