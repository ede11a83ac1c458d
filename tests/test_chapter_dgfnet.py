"""What the chapter on ultrasound and CT says to cohorts that lack something or hold other data."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import SimpleITK
from PIL import Image
from pydicom import Dataset
from pydicom.dataset import FileMetaDataset
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian, generate_uid

from lnm_kit.cohort import CohortInfo, load_cohort, write_cohort
from lnm_kit.training import open_fabric
from lnm_kit.training.model_prediction import predict_cohort
from tests.chapters import change, kept_models, refusal, run_chapter, text_of

INFO = CohortInfo(
    name="drawn",
    endpoint="central metastasis",
    positive="drawn so",
    source="drawn by a test",
    licence="CC0",
    simulated=False,
)


@pytest.fixture
def cohort(tmp_path):
    """32 nodules with two ultrasound and two CT images each, none of the clinical columns."""
    root = tmp_path / "cohort"
    root.mkdir()
    rng = np.random.default_rng(0)
    cases, images = [], []
    for number in range(32):
        case, label = f"n{number:02d}", number % 2
        cases.append(
            {
                "case_id": case,
                "patient_id": f"p{number}",
                "center": "center_1",
                "split": "training" if number < 24 else "test",
                "label": label,
            }
        )
        for modality in ("us", "ct"):
            for place in range(2):
                name = f"{case}-{modality}-{place}"
                side = 24 + 2 * place
                mask = np.zeros((110, 120), bool)
                mask[40 : 40 + side, 45 : 45 + side] = True
                Image.fromarray(255 * mask.astype(np.uint8)).save(root / f"{name}-mask.png")
                if modality == "us":
                    gray = rng.normal(120, 25, mask.shape) - (30 + 30 * label) * mask
                    path = f"{name}.png"
                    Image.fromarray(gray.clip(0, 255).astype(np.uint8)).save(root / path)
                else:
                    hu = rng.normal(60, 10, mask.shape) + (60 + 40 * label) * mask
                    hu[:8] = -1000
                    path = f"{name}.nrrd"
                    image = SimpleITK.GetImageFromArray(hu.astype(np.int16))
                    SimpleITK.WriteImage(image, str(root / path))
                images.append(
                    {
                        "image_id": name,
                        "case_id": case,
                        "modality": modality,
                        "view": "axial" if modality == "ct" else "transverse",
                        "path": path,
                        "mask_path": f"{name}-mask.png",
                        "spacing_x_mm": np.nan,
                        "spacing_y_mm": np.nan,
                    }
                )
    write_cohort(root, INFO, pd.DataFrame(cases), pd.DataFrame(images))
    return root


def test_nodules_that_cannot_be_paired_are_listed_before_anything_is_computed(cohort):
    change(
        cohort / "images.csv",
        lambda rows: rows[
            ~((rows.case_id == "n03") & (rows.modality == "us"))
            & ~(rows.case_id.isin(["n05", "n30"]) & (rows.modality == "ct"))
        ],
    )
    message = refusal("dgfnet", cohort)
    assert "1 case has no ultrasound image: n03" in message
    assert "2 cases have no CT image: n05, n30" in message


def test_a_cohort_of_ultrasound_alone_is_refused(cohort):
    change(cohort / "images.csv", lambda rows: rows[rows.modality == "us"])
    message = refusal("dgfnet", cohort)
    assert "no case has a CT image" in message


def dicom_without_rescale(path: Path) -> None:
    header = Dataset()
    header.file_meta = FileMetaDataset()
    header.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    header.SOPClassUID, header.SOPInstanceUID = CTImageStorage, generate_uid()
    header.Modality, header.PhotometricInterpretation = "CT", "MONOCHROME2"
    header.Rows, header.Columns, header.SamplesPerPixel = 110, 120, 1
    header.BitsAllocated = header.BitsStored = 16
    header.HighBit, header.PixelRepresentation = 15, 1
    stored = np.random.default_rng(2).integers(-1000, 1000, (110, 120), dtype=np.int16)
    header.PixelData = stored.tobytes()
    header.save_as(path, enforce_file_format=True)


def test_images_with_other_pixels_than_their_modality_has_are_listed_together(cohort):
    color = np.zeros((110, 120, 3), np.uint8)
    color[40:, :, 2] = 255
    Image.fromarray(color).save(cohort / "n00-us-0.png")
    unscaled = np.random.default_rng(1).integers(1000, 3000, (110, 120), dtype=np.int16)
    raw = SimpleITK.GetImageFromArray(unscaled)
    SimpleITK.WriteImage(raw, str(cohort / "n01-ct-1.nrrd"))
    dicom_without_rescale(cohort / "slice.dcm")
    Image.fromarray(color).save(cohort / "slice.png")

    def other_files(rows):
        rows.loc[rows.image_id == "n02-ct-0", "path"] = "slice.dcm"
        rows.loc[rows.image_id == "n04-ct-0", "path"] = "slice.png"
        return rows

    change(cohort / "images.csv", other_files)
    message = refusal("dgfnet", cohort)
    assert "4 images cannot be used" in message
    assert "n00, image n00-us-0" in message
    assert "in color (Doppler, elastography, marks)" in message
    assert "n01, image n01-ct-1" in message
    assert "no air (below -500 HU)" in message
    assert "n02, image n02-ct-0" in message
    assert "no rescale slope and intercept" in message
    assert "n04, image n04-ct-0" in message


def test_the_lateral_site_needs_its_labels(cohort):
    assert "needs a column label_lateral" in refusal("dgfnet", cohort, site="lateral")


def test_it_runs_on_real_images_without_spacing_truth_and_clinical_columns(cohort):
    change(
        cohort / "cases.csv",
        lambda rows: rows.assign(label=rows.label.where(rows.split != "test", "0")),
    )
    short = ["folds=3", "compared_epochs=0", "null_epochs=0", "attributed=2"]
    run = run_chapter("dgfnet", cohort.parent, f"cohort={cohort}", *short)
    text = text_of(run)
    assert "Nothing can be measured in test" in text
    assert "n24, n25" in text
    assert "no external split with both classes" in text
    assert "no known factors" in text
    assert "has none of the columns `tumor_size_cm`" in text
    assert "The plain networks were left out (`compared_epochs` is 0)" in text
    assert "Left out: `null_epochs` is 0." in text
    metrics = pd.read_json(run / "metrics.json")
    assert "test" not in set(metrics.split)
    fusions = {"Concat", "Sum", "Product", "DGFNet"}
    gains = metrics[metrics.metric == "auc_difference"].set_index("model").value
    assert set(gains.index) == {f"{one} minus {other}" for one in fusions for other in ("US", "CT")}
    auc = metrics[metrics.metric == "auc"].set_index("model").value
    assert set(auc.index) == {
        *(*fusions, "US", "CT", "Mean of US and CT"),
        "DGFNet, the fold chosen by its own accuracy",
    }
    assert gains["Sum minus CT"] == pytest.approx(auc["Sum"] - auc["CT"])

    # a held-out nodule's recorded probability is that of one of the networks that it keeps
    models = kept_models(run)
    assert set(models) == {"DGFNet"}
    model, data = models["DGFNet"], load_cohort(cohort)
    each = pd.DataFrame(
        {
            number: predict_cohort(replace(model, networks=(network,)), data, fabric=open_fabric())
            .set_index("case_id")
            .probability
            for number, network in enumerate(model.networks)
        }
    )
    recorded = pd.read_parquet(run / "predictions.parquet").query("model == 'DGFNet'")
    held_out = recorded.set_index("case_id").probability
    off = each.loc[held_out.index].sub(held_out, axis=0).abs()
    assert len(off) == 24
    assert off.shape[1] == 3
    # a processor with bfloat16 may round differently with other nodules in the batch
    assert off.min(axis=1).max() < 1e-3
    assert set(off.idxmin(axis=1)) == {0, 1, 2}
