"""Draw book/_static/cover.png: simulated frames of three simulated scanners, nodules outlined."""

from pathlib import Path

from matplotlib.figure import Figure

from lnm_kit.figures import PALETTE
from lnm_kit.simulate import SCANNERS, describe_nodule, render, simulate_population

COVER = Path(__file__).resolve().parents[1] / "book" / "_static" / "cover.png"
COLUMNS, ROWS = 4, 2
WIDTH_INCH, HEIGHT_INCH, DPI = 10.4, 3.9, 110
SEED = 3


def main() -> None:
    """Render the frames of eight simulated patients and write the picture."""
    cases, truth = simulate_population("llnm", seed=SEED, signal=1.0)
    training = cases[cases.split == "training"]
    large = training[training.tumor_size_cm.between(1.0, 2.2)]
    chosen = large.sample(COLUMNS * ROWS, random_state=SEED)
    figure = Figure(figsize=(WIDTH_INCH, HEIGHT_INCH), facecolor="black")
    places = figure.subplots(
        ROWS,
        COLUMNS,
        gridspec_kw={"left": 0, "right": 1, "bottom": 0, "top": 1, "wspace": 0.02, "hspace": 0.02},
    )
    scanners = list(SCANNERS.values())
    for number, (axes, (case_id, case)) in enumerate(
        zip(places.flat, chosen.iterrows(), strict=True)
    ):
        nodule = describe_nodule(case.to_dict(), truth.aggressiveness[case_id], seed=number)
        plane = "longitudinal" if number % 4 == 3 else "transverse"
        frame = render(nodule, scanners[number % 3], plane=plane, seed=number)
        axes.imshow(frame.pixels, cmap="gray", vmin=0, vmax=255, aspect="auto")
        axes.contour(frame.mask, levels=[0.5], colors=PALETTE[1], linewidths=1.2)
        axes.set_axis_off()
    figure.savefig(COVER, dpi=DPI, facecolor="black")


if __name__ == "__main__":
    main()
