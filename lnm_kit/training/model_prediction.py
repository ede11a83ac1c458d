"""What a trained model says of the cases of a cohort."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from lightning_fabric import Fabric

from lnm_kit.cohort.folder import Cohort
from lnm_kit.errors import InputError
from lnm_kit.networks.fusion import FusionNetwork
from lnm_kit.networks.triple import pack_modalities
from lnm_kit.regions.contrast import contrast_images, crop_contrast
from lnm_kit.regions.crop import crop_regions
from lnm_kit.regions.nodule_regions import RegionRecipe, nodule_regions
from lnm_kit.regions.views import crop_views
from lnm_kit.training.bank import ImageBank
from lnm_kit.training.model_card import ModelCard
from lnm_kit.training.model_file import Model
from lnm_kit.training.model_forms import ContrastForm, ImageForm, PairForm
from lnm_kit.training.multitask_prediction import predict_nodules
from lnm_kit.training.pairing import ModalityImages, NoduleBank
from lnm_kit.training.prediction import predict

LACKS = {
    "b_mode": "no B-mode image (modality us)",
    "ceus": "no contrast-enhanced frame (modality ceus, no time_s)",
    "us_lnm": "no reading of the neck (column us_lnm of cases.csv)",
}


def predict_cohort(model: Model, cohort: Cohort, *, fabric: Fabric) -> pd.DataFrame:
    """Probability of label 1 for every case of a cohort, from regions as the training cut them.

    Parameters
    ----------
    model
        From `read_model`.
    cohort
        With images of the kind that the model was trained on. Its labels are not used.
    fabric
        From `open_fabric`.

    Returns
    -------
    pandas.DataFrame
        `case_id` and `probability` in [0, 1], in the order of `cohort.cases`. Of a model that was
        trained to do without a modality, also `missing`: which ones a case lacks, separated by
        blanks.

    Raises
    ------
    InputError
        Images of another modality, views or modalities that are missing, or images without a
        usable region.
    """
    card = model.card
    others = sorted(set(cohort.images["modality"]) - set(card.cohort.modalities))
    if others:
        raise InputError(
            f"the cohort holds images of modality {', '.join(others)}; the model {card.name!r} was "
            f"trained on {', '.join(card.cohort.modalities)}. Leave the others out of images.csv."
        )
    if isinstance(card.form, ContrastForm):
        return _from_modalities(model, card.form, cohort, fabric)
    if isinstance(card.form, PairForm):
        return _from_pairs(model, card.form, cohort, fabric)
    return _from_images(model, card.form, cohort, fabric)


def _from_images(model: Model, form: ImageForm, cohort: Cohort, fabric: Fabric) -> pd.DataFrame:
    size_px = model.card.image_size_px
    if form.views:
        crops, _, _ = crop_views(cohort, form.views, size_px=size_px, margin=form.margin)
        owners = cohort.cases.index.tolist()
    else:
        crops, _ = crop_regions(cohort, size_px=size_px, margin=form.margin)
        owners = cohort.images["case_id"].tolist()
    bank = ImageBank.of(crops, np.zeros(len(crops), int), owners, fabric.device)
    return _mean_over_networks(model, bank, cohort, fabric)


def _from_modalities(
    model: Model, form: ContrastForm, cohort: Cohort, fabric: Fabric
) -> pd.DataFrame:
    cases = cohort.cases
    images = contrast_images(cohort)
    readings = cases["us_lnm"] if "us_lnm" in cases else pd.Series(np.nan, cases.index)
    absent = images.assign(us_lnm=readings).isna()[form.modalities]
    _check_present(model.card, form, absent)
    b_mode, ceus, _ = crop_contrast(
        cohort, images, size_px=model.card.image_size_px, margin=form.margin
    )
    flags = [None if pd.isna(value) else bool(value) for value in readings]
    packed = pack_modalities(b_mode, ceus, flags)
    bank = ImageBank.of(packed, np.zeros(len(packed), int), cases.index.tolist(), fabric.device)
    table = _mean_over_networks(model, bank, cohort, fabric)
    if form.dropout == 0:
        return table
    return table.assign(missing=[" ".join(row.index[row]) for _, row in absent.iterrows()])


def _check_present(card: ModelCard, form: ContrastForm, absent: pd.DataFrame) -> None:
    """Refuse cases of which too little is known; all are listed."""
    if form.dropout > 0:
        empty = absent.index[absent.all(axis=1)]
        if len(empty):
            raise InputError(
                f"of {_cases(empty, len(absent))} nothing is known that the model {card.name!r} "
                "could read. Take them out of cases.csv."
            )
        return
    lines = [
        f"  - {LACKS[name]}: {_cases(absent.index[absent[name]], len(absent))}"
        for name in form.modalities
        if absent[name].any()
    ]
    if lines:
        raise InputError(
            f"cases lack what the model {card.name!r} needs:\n"
            + "\n".join(lines)
            + "\nIt was never trained without. Add what is missing, take these cases out of "
            "cases.csv, or use a model that was trained with modality dropout."
        )


def _cases(cases: "pd.Index[str]", n_all: int) -> str:
    return f"all {n_all} cases" if len(cases) == n_all > 1 else ", ".join(map(str, cases))


def _from_pairs(model: Model, form: PairForm, cohort: Cohort, fabric: Fabric) -> pd.DataFrame:
    recipe = RegionRecipe(
        us_px=model.card.image_size_px,
        ct_px=form.ct_size_px,
        window_center_hu=form.window_center_hu,
        window_width_hu=form.window_width_hu,
    )
    images = {
        name: ModalityImages.of(part.images, part.targets, part.case_ids, part.area, fabric.device)
        for name, part in nodule_regions(cohort, recipe, n_jobs=-1).items()
    }
    cases = cohort.cases.index.tolist()
    unknown = dict.fromkeys(cases, 0)  # labels, which a prediction does not look at
    patients = dict(zip(cases, cohort.cases["patient_id"], strict=True))
    bank = NoduleBank(images, unknown, patients)
    each = [
        predict_nodules(network, bank, cases, fabric=fabric)
        for network in model.networks
        if isinstance(network, FusionNetwork)
    ]
    return _table(cases, each)


def _mean_over_networks(
    model: Model, bank: ImageBank, cohort: Cohort, fabric: Fabric
) -> pd.DataFrame:
    cases = cohort.cases.index.tolist()
    return _table(cases, [predict(each, bank, cases, fabric=fabric) for each in model.networks])


def _table(cases: list[str], each: Sequence[np.ndarray]) -> pd.DataFrame:
    probability = np.stack(each).mean(axis=0, dtype=np.float32)
    return pd.DataFrame({"case_id": cases, "probability": probability})
