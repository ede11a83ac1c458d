"""What a model reads of a case: the part of its card that differs between architectures."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

Word = Annotated[str, StringConstraints(pattern=r"^[a-z0-9_]{1,64}$")]
Margin = Annotated[float, Field(ge=0, le=10)]
SidePx = Annotated[int, Field(ge=1, le=4096)]

_SQUARE = "square around the mask, grown by {margin:g} on every side"
_PARTS = {
    "b_mode": "B-mode image",
    "ceus": "contrast-enhanced frame in color",
    "us_lnm": "reading of the neck (column us_lnm)",
}


class CardPart(BaseModel):
    """A part of a model card: what it does not know is refused, and nothing changes it."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class ImageForm(CardPart):
    """One network of images: `build_network`.

    With `views` the images of these views are the channels; without, every image is one of its
    own, and the probability of a case is the mean over its images.
    """

    kind: Literal["image"] = "image"
    in_channels: Annotated[int, Field(ge=1, le=16)]
    views: list[Word] = []
    margin: Margin

    def facts(self, architecture: str, size_px: int) -> dict[str, str]:
        """Return what the card for people says about network, input, region and output."""
        how = f"views {', '.join(self.views)} as channels" if self.views else "each by itself"
        return {
            "Networks": architecture,
            "Input": f"{self.in_channels} channel(s) of {size_px} px, images {how}",
            "Region": _SQUARE.format(margin=self.margin),
            "Output": "probability of label 1: the mean over networks and images of a case",
        }


class ContrastForm(CardPart):
    """B-mode image, contrast-enhanced frame and the reading of the neck: `ModalityNetwork`.

    A network that was trained with modality `dropout` predicts cases that lack some of
    `modalities`; one trained without refuses them.
    """

    kind: Literal["contrast"] = "contrast"
    modalities: Annotated[list[Literal["b_mode", "ceus", "us_lnm"]], Field(min_length=1)]
    dropout: Annotated[float, Field(ge=0, lt=1)]
    margin: Margin

    def facts(self, architecture: str, size_px: int) -> dict[str, str]:
        """Return what the card for people says about network, input, region and output."""
        parts = ", ".join(_PARTS[name] for name in self.modalities)
        without = (
            f"predicted without it (trained with modality dropout {self.dropout:g})"
            if self.dropout > 0
            else "refused: the networks were never trained without"
        )
        return {
            "Networks": f"{architecture} for each image, joined by one unit",
            "Input": f"{parts}; images of {size_px} px. A case that lacks one is {without}",
            "Region": _SQUARE.format(margin=self.margin),
            "Output": "probability of label 1: the mean over networks",
        }


class PairForm(CardPart):
    """The largest ultrasound and the largest CT image of a nodule: `FusionNetwork`.

    The side of the ultrasound regions is the card's `image_size_px`. Nodules that the fusion
    attends to (`n_reference` of them) are kept as features in the network's file, so that no
    prediction depends on the other cases of a cohort.
    """

    kind: Literal["pair"] = "pair"
    fusion: Literal["concatenation", "sum", "product", "diverse_granularity"]
    n_reference: Annotated[int, Field(ge=1, le=10_000)]
    decoder_channels: Annotated[int, Field(ge=8, le=1024)]
    ct_size_px: SidePx
    window_center_hu: Annotated[float, Field(ge=-10_000, le=10_000)]
    window_width_hu: Annotated[float, Field(gt=0, le=20_000)]

    def facts(self, architecture: str, size_px: int) -> dict[str, str]:
        """Return what the card for people says about network, input, region and output."""
        low, high = (
            self.window_center_hu + side * self.window_width_hu / 2 for side in (-1.0, 1.0)
        )
        attends = (
            f", which attends to {self.n_reference} training nodules kept in each file"
            if self.fusion == "diverse_granularity"
            else ""
        )
        return {
            "Networks": f"{architecture} for ultrasound and for CT, {self.fusion} fusion{attends}",
            "Input": f"ultrasound of {size_px} px and CT of {self.ct_size_px} px, of each the "
            f"image with the largest nodule; CT in HU, window {low:g} to {high:g}. A case that "
            "lacks one is refused",
            "Region": "square around the mask, grown by dilations of 3 x 3 pixels",
            "Output": "probability of label 1: the mean over networks",
        }


Form = Annotated[ImageForm | ContrastForm | PairForm, Field(discriminator="kind")]
"""One of the forms; its `kind` tells which."""
