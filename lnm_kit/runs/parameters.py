"""The parameters of each chapter: types, ranges, units, choices, and what they mean."""

import json
import tomllib
from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal, Self, get_args

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic_core import ErrorDetails

from lnm_kit.errors import InputError, one_of
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

    size: Annotated[
        float | None, Field(gt=0, le=1, description="fraction of the simulated cohort's cases")
    ] = None
    network: Annotated[
        NetworkName | None, Field(description="the network of each image's branch")
    ] = None
    compared_networks: Annotated[
        str | None,
        Field(min_length=1, description="networks compared on each image, separated by commas"),
    ] = None
    image_size_px: Annotated[
        int | None, Field(ge=32, le=1024, description="edge of the square region, in pixels")
    ] = None
    epochs: Annotated[int | None, Field(ge=1, le=10_000, description="passes over the images")] = (
        None
    )
    compared_epochs: Annotated[
        int | None, Field(ge=1, le=10_000, description="epochs of each of the compared networks")
    ] = None
    batch_size: Annotated[int | None, Field(ge=2, le=4096, description="images a step")] = None
    learning_rate: Annotated[
        float | None, Field(gt=0, le=1, description="learning rate of Adam at the start")
    ] = None
    patience_epochs: Annotated[
        int | None,
        Field(ge=0, le=1_000, description="epochs without a lower loss before the rate drops"),
    ] = None
    repeats: Annotated[
        int | None, Field(ge=1, le=50, description="trainings of every network, by seed")
    ] = None
    clip_epochs: Annotated[
        int | None, Field(ge=1, le=10_000, description="passes over the clips")
    ] = None


class DgfnetParameters(CommonParameters):
    """Parameters of the chapter on ultrasound and CT; None = as the profile says."""

    chapter: ClassVar[str] = "dgfnet"

    site: Annotated[
        Literal["central", "lateral"], Field(description="where metastasis is predicted")
    ] = "central"
    size: Annotated[
        float | None, Field(gt=0, le=1, description="fraction of the simulated cohort's cases")
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
    batch_size: Annotated[int | None, Field(ge=2, le=4096, description="nodules a step")] = None
    learning_rate: Annotated[
        float | None, Field(gt=0, le=1, description="learning rate of Adam at the start")
    ] = None
    folds: Annotated[
        int | None, Field(ge=2, le=50, description="folds of the cross-validation")
    ] = None
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


def schema_of(chapter: str) -> type[CommonParameters]:
    """Return the parameter schema of a chapter.

    Raises
    ------
    InputError
        When there is no such chapter.
    """
    return PARAMETERS[one_of("chapter", chapter, PARAMETERS)]


def check_parameters(chapter: str, values: Mapping[str, Any]) -> CommonParameters:
    """Check the values of a chapter's parameters, all at once.

    Examples
    --------
    >>> check_parameters("llnm", {"profile": "smoke"}).resolved().epochs
    3
    >>> check_parameters("llnm", {"epochs": 0, "sede": 3})
    Traceback (most recent call last):
    lnm_kit.errors.InputError: 2 parameters of chapter 'llnm' are wrong: ...
    """
    schema = schema_of(chapter)
    try:
        return schema.model_validate(dict(values))
    except ValidationError as error:
        wrong = {str(details["loc"][0]): _explain(details, schema) for details in error.errors()}
    count = "1 parameter" if len(wrong) == 1 else f"{len(wrong)} parameters"
    verb = "is" if len(wrong) == 1 else "are"
    lines = "".join(f"\n  - {line}" for line in wrong.values())
    raise InputError(
        f"{count} of chapter {chapter!r} {verb} wrong:{lines}\n"
        f"`lnm run {chapter} --list` shows all parameters and what is allowed."
    ) from None


def take_parameters(chapter: str, namespace: Mapping[str, Any]) -> CommonParameters:
    """Check the parameters that a chapter's cells defined, and fill in what the profile says.

    Parameters
    ----------
    chapter
        Name of the chapter.
    namespace
        ``globals()`` of the notebook, after its `parameters` cell.
    """
    names = [name for name in schema_of(chapter).model_fields if name in namespace]
    return check_parameters(chapter, {name: namespace[name] for name in names}).resolved()


def parse_assignments(assignments: Sequence[str]) -> dict[str, Any]:
    """Turn ``name=value`` words into typed values; whole numbers, decimals, true and false.

    Examples
    --------
    >>> parse_assignments(["seed=3", "signal=0.5", "wavelets=false", "cohort=my/folder"])
    {'seed': 3, 'signal': 0.5, 'wavelets': False, 'cohort': 'my/folder'}
    """
    values: dict[str, Any] = {}
    problems: list[str] = []
    for assignment in assignments:
        name, equals, text = assignment.partition("=")
        name = name.strip()
        if not equals or not name.isidentifier():
            problems.append(f"{assignment!r} is not of the form name=value")
        elif name in values:
            problems.append(f"{name} is given twice")
        else:
            values[name] = _typed(text.strip())
    if problems:
        raise InputError(
            "parameters could not be read: " + "; ".join(problems) + ". Write them as -p seed=3"
        )
    return values


def read_parameter_file(path: Path) -> dict[str, Any]:
    """Read parameters from a TOML file, such as the ``params.toml`` of an earlier run.

    Raises
    ------
    InputError
        When the file is missing or is no TOML.
    """
    try:
        with path.open("rb") as file:
            return tomllib.load(file)
    except OSError as error:
        raise InputError(f"the parameter file {path} cannot be read: {error.strerror}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InputError(
            f"the parameter file {path} is not TOML: {error}. Write one name = value a line."
        ) from error


def describe_parameters(chapter: str) -> list[tuple[str, str, str, str]]:
    """Return name, allowed values, default and meaning of every parameter of a chapter."""
    schema = schema_of(chapter)
    return [
        (
            name,
            allowed_values(schema, name),
            _default(chapter, schema, name),
            field.description or "",
        )
        for name, field in schema.model_fields.items()
    ]


def allowed_values(schema: type[CommonParameters], name: str) -> str:
    """Say in words which values a parameter may take.

    Examples
    --------
    >>> allowed_values(LlnmParameters, "epochs")
    'a whole number, >= 1, <= 10000'
    >>> allowed_values(LlnmParameters, "profile")
    'one of smoke, demo, paper'
    """
    described = schema.model_json_schema()["properties"][name]
    options = [option for option in described.get("anyOf", [described]) if option["type"] != "null"]
    return " or ".join(_in_words(option) for option in options)


def _in_words(option: Mapping[str, Any]) -> str:
    if "enum" in option:
        return "one of " + ", ".join(option["enum"])
    if "in_words" in option:
        return str(option["in_words"])
    if "const" in option:
        return str(option["const"])
    kinds = {"integer": "a whole number", "number": "a number", "boolean": "true or false"}
    limits = {"exclusiveMinimum": ">", "minimum": ">=", "exclusiveMaximum": "<", "maximum": "<="}
    bounds = [f"{sign} {_plain(option[key])}" for key, sign in limits.items() if key in option]
    return ", ".join([kinds.get(option["type"], "text"), *bounds])


def _explain(details: ErrorDetails, schema: type[CommonParameters]) -> str:
    name = str(details["loc"][0])
    if details["type"] == "extra_forbidden":
        close = get_close_matches(name, schema.model_fields, n=1)
        hint = f"did you mean {close[0]}?" if close else "known: " + ", ".join(schema.model_fields)
        return f"{name} is unknown; {hint}"
    allowed = allowed_values(schema, name)
    found = details["input"]
    line = f"{name} is {found!r}; allowed: {allowed}"
    words = [word for word in allowed.removeprefix("one of ").split(", ") if allowed != word]
    close = get_close_matches(str(found), words, n=1) if allowed.startswith("one of") else []
    return line + (f"; did you mean {close[0]}?" if close else "")


def _default(chapter: str, schema: type[CommonParameters], name: str) -> str:
    default = schema.model_fields[name].default
    table = PROFILES.get(chapter, {})
    if default is None and all(name in table[profile] for profile in table):
        words = [_plain(table[profile][name]) for profile in get_args(ProfileName)]
        return words[0] if len(set(words)) == 1 else " / ".join(words)
    return "not set" if default is None else _plain(default)


def _plain(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value).removesuffix(".0")


def _typed(text: str) -> Any:
    try:
        value = tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        return text
    return value if isinstance(value, bool | int | float | str) else text
