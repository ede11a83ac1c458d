"""The parameter schema of each chapter: types, ranges, units, choices, and what they mean."""

from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import BaseModel, ConfigDict, Field

from lnm_kit.runs.profiles import PROFILES, ProfileName

NetworkName = Literal[
    "resnet10t", "resnet18", "resnet34", "resnet50", "resnet101", "inception_v3", "tresnet"
]

LvlnmNetworkName = Literal[
    "resnet10t",
    "resnet18",
    "resnet50",
    "densenet121",
    "inception_v3",
    "alexnet",
    "vit_small_patch16_224",
]


# fields that mean the same in several chapters; None = as the profile says
CohortFraction = Annotated[
    float | None, Field(gt=0, le=1, description="fraction of the simulated cohort's cases")
]
ImageSize = Annotated[
    int | None, Field(ge=32, le=1024, description="edge of the square region, in pixels")
]
Epochs = Annotated[int | None, Field(ge=1, le=10_000, description="passes over the images")]
BatchSize = Annotated[int | None, Field(ge=2, le=4096, description="images a step")]
LearningRate = Annotated[
    float | None, Field(gt=0, le=1, description="learning rate of Adam at the start")
]
Folds = Annotated[int | None, Field(ge=2, le=50, description="folds of the cross-validation")]
NetworkFolds = Annotated[
    int | None, Field(ge=2, le=50, description="networks trained, one for each fold")
]
ComparedEpochs = Annotated[
    int | None,
    Field(ge=0, le=10_000, description="epochs of each of the five compared networks; 0 = none"),
]
Components = Annotated[
    int | None, Field(ge=1, le=2048, description="principal components of the deep features")
]
Resamples = Annotated[
    int | None,
    Field(ge=2, le=10_000, description="bootstrap resamples of the selection of features"),
]
RepeatedImages = Annotated[
    int | None, Field(ge=4, le=2_000, description="images that are delineated again for the ICC")
]
RadiomicsSpacing = Annotated[
    float | None,
    Field(gt=0, le=5, description="pixel size that images are resampled to for radiomics, mm"),
]
Wavelets = Annotated[bool | None, Field(description="features of the wavelet sub-bands too")]


class CommonParameters(BaseModel):
    """Parameters that every chapter has."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, allow_inf_nan=False, coerce_numbers_to_str=True
    )
    chapter: ClassVar[str]

    profile: Annotated[
        ProfileName,
        Field(description="smoke (tests, a minute), demo (minutes), paper (as printed, for a GPU)"),
    ] = "demo"
    cohort: Annotated[
        str | None,
        Field(min_length=1, description="folder of a cohort; without it a cohort is simulated"),
    ] = None
    signal: Annotated[
        float,
        Field(
            ge=0,
            le=2,
            description="strength of the simulated association; 0 = the labels depend on nothing",
        ),
    ] = 1.0
    seed: Annotated[
        int,
        Field(ge=0, le=2**31 - 1, description="seed of the simulation and of everything random"),
    ] = 0
    device: Annotated[
        str,
        Field(
            pattern=r"^(auto|cpu|cuda(:\d+)?)$",
            json_schema_extra={"in_words": "auto, cpu, cuda or cuda:N"},
            description="where networks are trained",
        ),
    ] = "auto"
    n_jobs: Annotated[
        Literal[-1] | Annotated[int, Field(ge=1, le=1024)],
        Field(description="processes for everything else; -1 = one per processor"),
    ] = -1
    weights: Annotated[
        str,
        Field(min_length=1, description="start of the networks: none, imagenet, or a file"),
    ] = "none"

    def resolved(self) -> Self:
        """Return a copy in which every parameter left to the profile has the profile's value."""
        table = PROFILES.get(self.chapter, {}).get(self.profile, {})
        return self.model_copy(
            update={name: value for name, value in table.items() if getattr(self, name) is None}
        )

    def given(self) -> dict[str, Any]:
        """Return what differs from the defaults, which is what has to be injected."""
        return self.model_dump(exclude_defaults=True)


class LlnmParameters(CommonParameters):
    """Parameters of the chapter on lateral lymph node metastasis; None = as the profile says."""

    chapter: ClassVar[str] = "llnm"

    size: CohortFraction = None
    network: Annotated[
        NetworkName | None, Field(description="the network that reads the images")
    ] = None
    image_size_px: ImageSize = None
    epochs: Epochs = None
    batch_size: BatchSize = None
    learning_rate: LearningRate = None
    folds: Folds = None
    network_folds: NetworkFolds = None
    compared_epochs: ComparedEpochs = None
    repeated_images: RepeatedImages = None
    radiomics_spacing_mm: RadiomicsSpacing = None
    wavelets: Wavelets = None


class LvlnmParameters(CommonParameters):
    """Parameters of the chapter on large volume metastasis; None = as the profile says."""

    chapter: ClassVar[str] = "lvlnm"

    size: CohortFraction = None
    network: Annotated[
        LvlnmNetworkName | None, Field(description="the network that gives the deep features")
    ] = None
    image_size_px: Annotated[
        int | None,
        Field(ge=64, le=1024, description="edge of the square region, in pixels; a multiple of 16"),
    ] = None
    epochs: Epochs = None
    batch_size: BatchSize = None
    learning_rate: LearningRate = None
    folds: Folds = None
    network_folds: NetworkFolds = None
    compared_epochs: ComparedEpochs = None
    components: Components = None
    resamples: Resamples = None
    repeated_images: RepeatedImages = None
    radiomics_spacing_mm: RadiomicsSpacing = None
    filters: Annotated[
        Literal["none", "wavelets", "all"] | None,
        Field(description="features of filtered images too: of wavelet sub-bands, of all filters"),
    ] = None


class ClnmParameters(CommonParameters):
    """Parameters of the chapter on occult central metastasis; None = as the profile says."""

    chapter: ClassVar[str] = "clnm"

    size: CohortFraction = None
    network: Annotated[
        NetworkName | None, Field(description="the network that reads the images")
    ] = None
    image_size_px: ImageSize = None
    epochs: Epochs = None
    batch_size: BatchSize = None
    learning_rate: LearningRate = None
    folds: Folds = None
    network_folds: NetworkFolds = None
    components: Components = None
    resamples: Resamples = None


class CeusParameters(CommonParameters):
    """Parameters of the chapter on contrast-enhanced ultrasound; None = as the profile says."""

    chapter: ClassVar[str] = "ceus"

    size: CohortFraction = None
    network: Annotated[
        NetworkName | None, Field(description="the network of each image's branch")
    ] = None
    compared_networks: Annotated[
        str | None,
        Field(min_length=1, description="networks compared on each image, separated by commas"),
    ] = None
    image_size_px: ImageSize = None
    epochs: Epochs = None
    compared_epochs: Annotated[
        int | None,
        Field(ge=0, le=10_000, description="epochs of each of the compared networks; 0 = none"),
    ] = None
    batch_size: BatchSize = None
    learning_rate: LearningRate = None
    patience_epochs: Annotated[
        int | None,
        Field(ge=0, le=1_000, description="epochs without a lower loss before the rate drops"),
    ] = None
    repeats: Annotated[
        int | None, Field(ge=1, le=50, description="trainings of every network, by seed")
    ] = None
    longer_epochs: Annotated[
        int | None,
        Field(ge=0, le=10_000, description="epochs of the convergence curves; 0 = as all others"),
    ] = None
    dropout_repeats: Annotated[
        int | None,
        Field(ge=0, le=50, description="trainings that hide modalities at random; 0 = none"),
    ] = None
    clip_epochs: Annotated[
        int | None, Field(ge=0, le=10_000, description="passes over the clips; 0 = no clips")
    ] = None
    null_epochs: Annotated[
        int | None,
        Field(ge=0, le=10_000, description="epochs on labels without signal; 0 = none"),
    ] = None


class DgfnetParameters(CommonParameters):
    """Parameters of the chapter on ultrasound and CT; None = as the profile says."""

    chapter: ClassVar[str] = "dgfnet"

    site: Annotated[
        Literal["central", "lateral"], Field(description="where metastasis is predicted")
    ] = "central"
    size: CohortFraction = None
    most_images: Annotated[
        int | None,
        Field(ge=1, le=12, description="simulated images of a nodule in each modality, at most"),
    ] = None
    network: Annotated[
        Literal["resnet10t", "resnet18", "resnet34", "resnet50"] | None,
        Field(description="encoder of both modalities"),
    ] = None
    us_size_px: Annotated[
        int | None, Field(ge=33, le=1024, description="edge of the ultrasound region, in pixels")
    ] = None
    ct_size_px: Annotated[
        int | None, Field(ge=33, le=1024, description="edge of the CT region, in pixels")
    ] = None
    decoder_channels: Annotated[
        int | None, Field(ge=8, le=1024, description="channels of the decoders' first block")
    ] = None
    segmentation_epochs: Annotated[
        int | None, Field(ge=0, le=10_000, description="epochs of segmentation alone")
    ] = None
    joint_epochs: Annotated[
        int | None, Field(ge=1, le=10_000, description="epochs of segmentation and metastasis")
    ] = None
    fusion_epochs: Annotated[
        int | None, Field(ge=1, le=10_000, description="epochs of the fused networks")
    ] = None
    compared_epochs: Annotated[
        int | None, Field(ge=0, le=10_000, description="epochs of the plain ResNets; 0 = none")
    ] = None
    null_epochs: Annotated[
        int | None,
        Field(ge=0, le=10_000, description="epochs of the fusion without signal; 0 = none"),
    ] = None
    batch_size: Annotated[int | None, Field(ge=2, le=4096, description="nodules a step")] = None
    learning_rate: LearningRate = None
    fusion_rate: Annotated[
        float | None, Field(gt=0, le=1, description="learning rate of the fused networks")
    ] = None
    folds: Folds = None
    attributed: Annotated[
        int | None, Field(ge=2, le=5_000, description="nodules whose predictions are attributed")
    ] = None


PARAMETERS: dict[str, type[CommonParameters]] = {
    "llnm": LlnmParameters,
    "lvlnm": LvlnmParameters,
    "clnm": ClnmParameters,
    "ceus": CeusParameters,
    "dgfnet": DgfnetParameters,
}
