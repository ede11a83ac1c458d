"""Measure everything: one run, one result file, one table.

    python -m benchmarks [--only PART ...] [--long] [--peers FOLDER ...] [--ddti FOLDER]

Every number is the median of several rounds in which the package and its peers take turns. The
results go to ``lnm_kit/measured/speed.json``, which the page "How fast, and why" shows; a part that
is not measured stays as it was. Leave the machine alone meanwhile.

Tools that are no dependency (nyxus, fastrad, mirp, confidenceinterval) take part where they can be
imported: install them anywhere with ``pip install --target FOLDER --no-deps`` and name the folders.
"""

import argparse
import sys
import time
from collections.abc import Callable

PARTS = (
    "radiomics",
    "agreement",
    "growth",
    "evaluation",
    "analysis",
    "simulation",
    "startup",
    "runner",
    "paper_profile",
)
ALONE = "training"
"""Wants all threads, where the others take one each; measured only when asked for."""
MODULES = {"radiomics": "radiomics_engine", ALONE: "training_rows"}


def growth(*, long: bool) -> None:
    from benchmarks.growth import IMAGES_LONG, IMAGES_SHORT, PACKAGES, measure

    rows = measure(IMAGES_LONG if long else IMAGES_SHORT, [1, 2])
    _keep("growth", rows, PACKAGES)


def real_frames(folder: str) -> None:
    from benchmarks.radiomics_agreement import PACKAGES, measure_real

    _keep("agreement_real", measure_real(folder), PACKAGES)


def agreement() -> None:
    from benchmarks.radiomics_agreement import PACKAGES, measure_constructed

    _keep("agreement", measure_constructed(), PACKAGES)


def timed(part: str) -> None:
    """A part whose module measures with its own defaults."""
    from importlib import import_module

    module = import_module(f"benchmarks.{MODULES.get(part, part)}")
    _keep(part, module.measure(), module.PACKAGES)


def _keep(part: str, rows: list[dict], packages: tuple[str, ...]) -> None:
    from benchmarks.results import save
    from benchmarks.table import show

    save(part, rows, packages)
    show(part, rows)


def main(words: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--only",
        nargs="+",
        choices=(*PARTS, ALONE),
        default=PARTS,
        metavar="PART",
        help=f"some of {', '.join(PARTS)}, {ALONE}; without it all but {ALONE}",
    )
    parser.add_argument("--long", action="store_true", help="grow to 100,000 images")
    parser.add_argument("--peers", nargs="+", default=[], help="folders of tools to compare with")
    parser.add_argument("--ddti", help="also compare all frames of this folder of DDTI")
    choice = parser.parse_args(words)
    sys.path += choice.peers  # after the package's own versions of what they share
    began = time.monotonic()
    steps: list[Callable[[], None]] = []
    for part in choice.only:
        if part == "growth":
            steps.append(lambda: growth(long=choice.long))
        elif part == "agreement":
            steps.append(agreement)
        else:
            steps.append(lambda part=part: timed(part))
    if choice.ddti:
        steps.append(lambda: real_frames(choice.ddti))
    for step in steps:
        step()
    print(f"\n{time.monotonic() - began:.0f} s in all")


if __name__ == "__main__":
    main()
