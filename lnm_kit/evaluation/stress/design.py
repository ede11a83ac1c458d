"""Feature tables with a known truth: Gaussian features, several images a patient, exact AUCs."""

from dataclasses import dataclass

import numpy as np
from scipy.stats import norm

from lnm_kit.errors import InputError

BLOCK = 10
"""Features that rise and fall together, as those of one radiomic family do."""


@dataclass(frozen=True)
class Design:
    """How feature tables are drawn; the truth of every linear score over them is known.

    A patient's features are normal with variance 1, correlated within blocks of `BLOCK`, and an
    image adds noise of its own. In the positive class the first feature of each of the first
    `informative` blocks is shifted, so far that the best possible score of a patient has the AUC
    `oracle_auc`.

    Parameters
    ----------
    patients
        Drawn for one table.
    prevalence
        Share of positive patients; their number is the rounded product, the same in every table.
    features
        Columns, a multiple of `BLOCK`.
    informative
        Columns that differ between the classes, at most one a block.
    correlation
        Within a block, 0 to below 1.
    images_per_patient
        Rows a patient.
    image_noise_sd
        SD of what an image adds to a patient's feature.
    oracle_auc
        0.5 (nothing to find) to below 1.

    Raises
    ------
    InputError
        Settings out of their range; all are listed.

    Examples
    --------
    >>> Design(prevalence=1.5)
    Traceback (most recent call last):
    lnm_kit.errors.InputError: the design: prevalence is 1.5; allowed: 5 or more patients a class.
    """

    patients: int = 300
    prevalence: float = 0.15
    features: int = 400
    informative: int = 4
    correlation: float = 0.6
    images_per_patient: int = 2
    image_noise_sd: float = 0.5
    oracle_auc: float = 0.8

    def __post_init__(self) -> None:
        smallest = min(self.positive, self.patients - self.positive)
        checks = {
            "prevalence": (smallest >= 5, "5 or more patients a class"),
            "features": (
                self.features >= BLOCK and self.features % BLOCK == 0,
                f"multiples of {BLOCK}",
            ),
            "informative": (
                1 <= self.informative <= self.features // BLOCK,
                f"1 to {self.features // BLOCK}, one for each {BLOCK} features",
            ),
            "correlation": (0 <= self.correlation < 1, "0 to below 1"),
            "images_per_patient": (self.images_per_patient >= 1, "1 or more"),
            "image_noise_sd": (0 <= self.image_noise_sd < np.inf, "0 or more"),
            "oracle_auc": (0.5 <= self.oracle_auc < 1, "0.5 to below 1"),
        }
        problems = [
            f"{name} is {getattr(self, name)!r}; allowed: {allowed}"
            for name, (valid, allowed) in checks.items()
            if not valid
        ]
        if problems:
            raise InputError(f"the design: {'. '.join(problems)}.")

    @property
    def positive(self) -> int:
        """Positive patients in every table."""
        return round(self.patients * self.prevalence)

    def block_covariance(self) -> np.ndarray:
        """Covariance of a block of a patient's mean features, (BLOCK, BLOCK)."""
        between = np.full((BLOCK, BLOCK), self.correlation) + (1 - self.correlation) * np.eye(BLOCK)
        return between + self.image_noise_sd**2 / self.images_per_patient * np.eye(BLOCK)

    def shift(self) -> np.ndarray:
        r"""Difference of the class means, (features,).

        With :math:`q = (\Sigma^{-1})_{11}` of a block and k informative features, the best linear
        score has :math:`\mathrm{AUC} = \Phi(\sqrt{k q}\,\delta / \sqrt 2)`; solved for
        :math:`\delta`.
        """
        information = np.linalg.inv(self.block_covariance())[0, 0]
        size = np.sqrt(2 / (self.informative * information)) * norm.ppf(self.oracle_auc)
        shift = np.zeros(self.features)
        shift[: self.informative * BLOCK : BLOCK] = size
        return shift


@dataclass(frozen=True, eq=False)
class Table:
    """A drawn table: features (N, F) float64, label (N,) of 0 and 1, patient (N,) int."""

    features: np.ndarray
    label: np.ndarray
    patient: np.ndarray

    def rows(self, chosen: np.ndarray) -> "Table":
        """Some rows of it; `chosen` are indices or a mask."""
        return Table(self.features[chosen], self.label[chosen], self.patient[chosen])


def draw_table(design: Design, rng: np.random.Generator) -> Table:
    """Draw the images of `design.patients` patients, whose order means nothing.

    Examples
    --------
    >>> table = draw_table(Design(patients=40, prevalence=0.25), np.random.default_rng(0))
    >>> table.features.shape, int(table.label.sum())
    ((80, 400), 20)
    """
    n, m, blocks = design.patients, design.images_per_patient, design.features // BLOCK
    label = rng.permutation((np.arange(n) < design.positive).astype(int))
    shared = np.repeat(rng.normal(size=(n, blocks)), BLOCK, axis=1)
    own = rng.normal(size=(n, design.features))
    mean = np.sqrt(design.correlation) * shared + np.sqrt(1 - design.correlation) * own
    mean += label[:, None] * design.shift()
    patient = np.repeat(np.arange(n), m)
    noise = design.image_noise_sd * rng.normal(size=(n * m, design.features))
    return Table(mean[patient] + noise, label[patient], patient)


def draw_patients(
    design: Design, patients: int, columns: np.ndarray, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Draw fresh patients without their images: mean features (N, F) of some columns, label (N,).

    Parameters
    ----------
    design
        What they are drawn from; its own number of patients does not count.
    patients
        To draw.
    columns
        Int (F,).
    rng
        Random numbers.

    Examples
    --------
    >>> design = Design(prevalence=0.25)
    >>> features, label = draw_patients(design, 1000, np.arange(3), np.random.default_rng(0))
    >>> features.shape, int(label.sum())
    ((1000, 3), 250)
    """
    block = design.block_covariance()
    alike = columns[:, None] // BLOCK == columns[None, :] // BLOCK
    covariance = np.where(alike, block[0, 1], 0.0)
    np.fill_diagonal(covariance, block[0, 0])
    positive = round(patients * design.prevalence)
    label = rng.permutation((np.arange(patients) < positive).astype(int))
    normal = rng.normal(size=(patients, len(columns)))
    features = normal @ np.linalg.cholesky(covariance).T
    return features + label[:, None] * design.shift()[columns], label


@dataclass(frozen=True, eq=False)
class LinearScore:
    """A score that adds weighted features, patients scored by the mean over their images."""

    weights: np.ndarray
    intercept: float

    def of(self, features: np.ndarray) -> np.ndarray:
        """Scores of rows, (N,), from features (N, F)."""
        return features @ self.weights + self.intercept

    def moments(self, design: Design) -> tuple[float, float, float]:
        """Mean of negative patients, mean of positive ones, SD of either."""
        blocks = self.weights.reshape(-1, BLOCK)
        variance = np.einsum("bi,ij,bj->", blocks, design.block_covariance(), blocks)
        gap = float(self.weights @ design.shift())
        return self.intercept, self.intercept + gap, float(np.sqrt(variance))

    def true_auc(self, design: Design) -> float:
        r"""AUC over all patients of the design: :math:`\Phi(w^T\delta/\sqrt{2 w^T\Sigma w})`.

        Exact, since a linear score of normal features is normal in both classes; 0.5 for a score
        that is constant.

        Examples
        --------
        >>> design = Design(oracle_auc=0.8)
        >>> blind = LinearScore(np.zeros(400), 0.0)
        >>> blind.true_auc(design)
        0.5
        """
        negative, positive, sd = self.moments(design)
        return float(norm.cdf((positive - negative) / (np.sqrt(2) * sd))) if sd > 0 else 0.5

    def true_youden(self, design: Design, threshold: float) -> float:
        """Sensitivity + specificity - 1 at a threshold over all patients of the design."""
        negative, positive, sd = self.moments(design)
        if sd == 0:
            return 0.0
        return float(norm.cdf((positive - threshold) / sd) - norm.cdf((negative - threshold) / sd))
