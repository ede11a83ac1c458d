"""The command ``lnm realism``: measure the simulated frames against a DDTI folder."""

from dataclasses import asdict
from datetime import date
from pathlib import Path
from typing import Annotated, Any

import tomli_w
import typer

from lnm_kit.errors import InputError
from lnm_kit.simulate.realism import (
    JUDGE_FOLDS,
    JUDGE_IMAGES,
    JUDGE_ROUNDS,
    RESULT_FILE,
    SUMMARY_FILE,
    VERSIONS_TRIED,
    RealismReport,
    RegionRealism,
    judge_realism,
    summarize_ddti,
)


def realism_command(
    source: Annotated[Path, typer.Argument(metavar="SRC", help="Folder with DDTI's XML and JPG.")],
    write: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help=f"Also write {SUMMARY_FILE} and {RESULT_FILE} here."),
    ] = None,
    n_images: Annotated[int, typer.Option(help="Simulated images to judge.")] = JUDGE_IMAGES,
    seed: Annotated[int, typer.Option(help="Of the simulated images.")] = 0,
    n_jobs: Annotated[int, typer.Option(help="Processes; -1 = one a core.")] = -1,
) -> None:
    """Tell how well a classifier on radiomic features tells simulated frames from DDTI's.

    The judge runs on the patients of DDTI that were held out while the simulation was tuned, and
    then on those it was tuned on. An AUC of 0.5 would mean that it sees no difference. A small
    network on the pixels is the second, stricter yardstick.
    """
    from lnm_kit.simulate.realism_network import network_realism

    if write is not None and not write.is_dir():
        raise InputError(f"--write is {write}, which is no folder; give an existing one.")
    held_out = judge_realism(source, half="held_out", n_images=n_images, seed=seed, n_jobs=n_jobs)
    _show(held_out)
    tuning = judge_realism(source, half="tuning", n_images=n_images, seed=seed, n_jobs=n_jobs)
    _show(tuning)
    network = network_realism(source, n_images=n_images, seed=seed, n_jobs=n_jobs)
    typer.echo(f"held_out, patches, small network on pixels: AUC {network:.3f}")
    summary = summarize_ddti(source, n_jobs=n_jobs)
    if write is None:
        typer.echo(f"{len(summary)} statistics of the real side; --write DIR keeps them.")
        return
    result = result_table(held_out, tuning, network=network, seed=seed)
    _replace(write / SUMMARY_FILE, summary.to_csv(float_format="%.6g"))
    _replace(write / RESULT_FILE, tomli_w.dumps(result))
    typer.echo(f"{write / SUMMARY_FILE}, {write / RESULT_FILE}: written")


def result_table(
    held_out: RealismReport, tuning: RealismReport, *, network: float, seed: int
) -> dict[str, Any]:
    """Give the results the form in which they are stored, with n, date and versions tried."""
    return {
        "date": date.today().isoformat(),
        "versions_tried": VERSIONS_TRIED,
        "note": "The held-out patients were judged once, after the last version was fixed. Not "
        "quite unseen: the recipe that the first version started from had been tuned on all "
        "patients, and 16 frames of any half were looked at before the halves were parted. "
        "Other simulated images or other folds move the AUC by about 0.03.",
        "judge": {
            "classifier": "histogram gradient boosting on original-image radiomics, 25 gray bins",
            "rounds": JUDGE_ROUNDS,
            "folds": JUDGE_FOLDS,
            "seed": seed,
        },
        "held_out": _plain(held_out),
        "tuning": _plain(tuning),
        "network": {"patch_auc": round(network, 4), "half": "held_out"},
    }


def _plain(report: RealismReport) -> dict[str, Any]:
    table: dict[str, Any] = _rounded(asdict(report))
    del table["half"]
    return table


def _rounded(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _rounded(item) for name, item in value.items()}
    return round(value, 4) if isinstance(value, float) else value


def _show(report: RealismReport) -> None:
    typer.echo(f"{report.half}, nodules: {_sentence(report.nodule)}")
    typer.echo(f"{report.half}, patches: {_sentence(report.patch)}")


def _sentence(found: RegionRealism) -> str:
    return (
        f"AUC {found.auc:.3f} ({found.n_real} real, {found.n_simulated} simulated); "
        f"{found.inside:.1%} of values within the real 1-99 % range; "
        f"Kolmogorov-Smirnov distance median {found.ks_median:.3f}, largest {found.ks_max:.3f}"
    )


def _replace(path: Path, text: str) -> None:
    temporary = path.with_name(path.name + ".part")
    temporary.write_text(text)
    temporary.replace(path)
