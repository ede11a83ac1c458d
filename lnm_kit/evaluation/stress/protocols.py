"""Common protocols, each in its honest and in its leaky form."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from lnm_kit.cohort.folds import patient_folds
from lnm_kit.evaluation.auc import auc
from lnm_kit.evaluation.stress.attention import fit_attention, of_patients
from lnm_kit.evaluation.stress.design import Design, LinearScore, Table, draw_patients
from lnm_kit.evaluation.stress.fitting import KEPT, by_patient, fit_score, strongest
from lnm_kit.evaluation.threshold import youden_threshold
from lnm_kit.radiomics.classifier import oversample

FOLDS = 5
FRESH = 20_000
"""Fresh patients that tell the true AUC of a score that is not linear."""
_TRIED = [(kept, penalty) for kept in (5, 10, 20, 40) for penalty in (1.0, 100.0)]


@dataclass(frozen=True)
class Outcome:
    """What a protocol reports of a table, and what is true of the score that it leaves behind.

    Parameters
    ----------
    reported, lo
        The reported value and the lower end of its 95 % interval (NaN for Youden's index).
    true
        Of the fitted score, over all patients that the design can draw.
    measure
        `auc` or `youden`.
    """

    reported: float
    lo: float
    true: float
    measure: str = "auc"


Protocol = Callable[[Table, Design, int], Outcome]


def _outcome(label: np.ndarray, score: np.ndarray, fitted: LinearScore, design: Design) -> Outcome:
    found = auc(label, score)
    return Outcome(found.value, found.lo, fitted.true_auc(design))


def _cross_validated(
    table: Table, seed: int, fit: Callable[[Table], LinearScore], groups: np.ndarray
) -> np.ndarray:
    """Out-of-fold score of every row; rows of a group stay together."""
    scores = np.empty(len(table.label))
    for fitted, held_out in patient_folds(table.label, groups, folds=FOLDS, seed=seed):
        score = fit(table.rows(fitted))
        # folds differ in scale and offset: only ranks within a fold are comparable as they are
        spread = score.of(table.features[fitted])
        scores[held_out] = (score.of(table.features[held_out]) - spread.mean()) / spread.std()
    return scores


def _halves(table: Table, seed: int) -> tuple[Table, Table]:
    """Training and test cases, two thirds and one third of the patients of each class."""
    fitted, held_out = patient_folds(table.label, table.patient, folds=3, seed=seed)[0]
    return table.rows(fitted), table.rows(held_out)


def selection_inside(table: Table, design: Design, seed: int) -> Outcome:
    """Features are chosen in each fold, from its training cases."""
    scores = _cross_validated(table, seed, fit_score, table.patient)
    return _outcome(*by_patient(table, scores), fit_score(table), design)


def selection_before(table: Table, design: Design, seed: int) -> Outcome:
    """Features are chosen once, from all cases, and then cross-validated."""
    chosen = strongest(table.features, table.label, KEPT)
    scores = _cross_validated(
        table, seed, lambda part: fit_score(part, chosen=chosen), table.patient
    )
    return _outcome(*by_patient(table, scores), fit_score(table), design)


def _fit_oversampled(table: Table, seed: int) -> LinearScore:
    chosen = strongest(table.features, table.label, KEPT)
    features, label = oversample(table.features[:, chosen], table.label, seed=seed)
    score = fit_score(Table(features, label, np.arange(len(label))), chosen=np.arange(KEPT))
    weights = np.zeros(table.features.shape[1])
    weights[chosen] = score.weights
    return LinearScore(weights, score.intercept)


def oversampling_inside(table: Table, design: Design, seed: int) -> Outcome:
    """SMOTE adds cases in each fold, to its training cases only."""
    scores = _cross_validated(table, seed, lambda part: _fit_oversampled(part, seed), table.patient)
    return _outcome(*by_patient(table, scores), _fit_oversampled(table, seed), design)


def oversampling_before(table: Table, design: Design, seed: int) -> Outcome:
    """SMOTE adds cases once; they and their neighbors then fall into folds, and all count."""
    features, label = oversample(table.features, table.label, seed=seed)
    larger = Table(features, label, np.arange(len(label)))
    scores = _cross_validated(larger, seed, fit_score, larger.patient)
    return _outcome(label, scores, fit_score(larger), design)


def folds_of_patients(table: Table, design: Design, seed: int) -> Outcome:
    """All images of a patient are in one fold, and the patient is the case."""
    scores = _cross_validated(table, seed, lambda part: fit_score(part, penalty=0.1), table.patient)
    return _outcome(*by_patient(table, scores), fit_score(table, penalty=0.1), design)


def folds_of_images(table: Table, design: Design, seed: int) -> Outcome:
    """Images are parted into folds as if each were a patient, and counted as cases."""
    images = np.arange(len(table.label))
    scores = _cross_validated(table, seed, lambda part: fit_score(part, penalty=0.1), images)
    return _outcome(table.label, scores, fit_score(table, penalty=0.1), design)


def model_chosen_inside(table: Table, design: Design, seed: int) -> Outcome:
    """The best of eight models over training folds is judged once, on the test cases."""
    training, test = _halves(table, seed)

    def over_folds(kept: int, penalty: float) -> float:
        scores = _cross_validated(
            training,
            seed,
            lambda part: fit_score(part, kept=kept, penalty=penalty),
            training.patient,
        )
        return auc(*by_patient(training, scores)).value

    kept, penalty = max(_TRIED, key=lambda tried: over_folds(*tried))
    fitted = fit_score(training, kept=kept, penalty=penalty)
    return _outcome(*by_patient(test, fitted.of(test.features)), fitted, design)


def model_chosen_on_test(table: Table, design: Design, seed: int) -> Outcome:
    """All eight models are judged on the test cases, and the best is reported."""
    training, test = _halves(table, seed)
    models = [fit_score(training, kept=kept, penalty=penalty) for kept, penalty in _TRIED]
    outcomes = [
        _outcome(*by_patient(test, fitted.of(test.features)), fitted, design) for fitted in models
    ]
    return max(outcomes, key=lambda outcome: outcome.reported)


def _youden(label: np.ndarray, score: np.ndarray, threshold: float) -> float:
    called = score >= threshold
    return float(called[label == 1].mean() - called[label == 0].mean())


def at_threshold(table: Table, design: Design, seed: int, *, on_test: bool) -> Outcome:
    """Youden's index of the test cases at a threshold learned on them or on training folds."""
    training, test = _halves(table, seed)
    fitted = fit_score(training)
    label, score = by_patient(test, fitted.of(test.features))
    if on_test:
        threshold = youden_threshold(label, score)
    else:
        # the fitted score knows its training cases; folds do not, and are put on its scale
        folds = _cross_validated(training, seed, fit_score, training.patient)
        own = fitted.of(training.features)
        of_patients = by_patient(training, folds * own.std() + own.mean())
        threshold = youden_threshold(*of_patients)
    reported = _youden(label, score, threshold)
    return Outcome(reported, np.nan, fitted.true_youden(design, threshold), "youden")


def threshold_from_training(table: Table, design: Design, seed: int) -> Outcome:
    """The threshold is chosen on out-of-fold scores of the training cases."""
    return at_threshold(table, design, seed, on_test=False)


def threshold_from_test(table: Table, design: Design, seed: int) -> Outcome:
    """The threshold is chosen on the test cases that it is judged on."""
    return at_threshold(table, design, seed, on_test=True)


def scaling_by_training(table: Table, design: Design, seed: int) -> Outcome:
    """Mean and SD of the training cases standardize all."""
    training, test = _halves(table, seed)
    fitted = fit_score(training)
    return _outcome(*by_patient(test, fitted.of(test.features)), fitted, design)


def scaling_by_all(table: Table, design: Design, seed: int) -> Outcome:
    """Mean and SD of all cases, the test cases among them, standardize all."""
    training, test = _halves(table, seed)
    fitted = fit_score(training, scaled_by=table)
    return _outcome(*by_patient(test, fitted.of(test.features)), fitted, design)


def _attending(table: Table, design: Design, seed: int, company: str) -> Outcome:
    """Test nodules attend to a bank, or to a batch that is mixed or sorted by label."""
    rng = np.random.default_rng([seed, 1])
    training, test = _halves(table, seed)
    fitted = fit_attention(training, rng)
    features, label = of_patients(test)
    fresh, fresh_label = draw_patients(design, FRESH, fitted.columns, rng)
    if company == "bank":
        score, fresh_score = fitted.with_bank(features[:, fitted.columns]), fitted.with_bank(fresh)
    else:
        order = rng.permutation(len(label))
        if company == "sorted":
            order = order[np.argsort(label[order], kind="stable")]
        score = fitted.in_batches(features[:, fitted.columns], order)
        # whose label is not known cannot be sorted by it: new nodules come in any order
        fresh_score = fitted.in_batches(fresh, np.arange(FRESH))
    found = auc(label, score)
    return Outcome(found.value, found.lo, auc(fresh_label, fresh_score).value)


def attention_to_a_bank(table: Table, design: Design, seed: int) -> Outcome:
    """Test nodules attend to 29 training nodules, always the same ones."""
    return _attending(table, design, seed, "bank")


def attention_to_the_batch(table: Table, design: Design, seed: int) -> Outcome:
    """Test nodules attend to the test nodules of their batch, in random order."""
    return _attending(table, design, seed, "mixed")


def attention_to_a_sorted_batch(table: Table, design: Design, seed: int) -> Outcome:
    """Test nodules attend to those of their batch, and the test cases are sorted by label."""
    return _attending(table, design, seed, "sorted")


PROTOCOLS: dict[str, tuple[Protocol, Protocol]] = {
    "selection of features": (selection_inside, selection_before),
    "SMOTE": (oversampling_inside, oversampling_before),
    "unit of the folds": (folds_of_patients, folds_of_images),
    "choice of the model": (model_chosen_inside, model_chosen_on_test),
    "choice of the threshold": (threshold_from_training, threshold_from_test),
    "scaling": (scaling_by_training, scaling_by_all),
    "attention": (attention_to_a_bank, attention_to_the_batch),
    "attention, sorted": (attention_to_a_bank, attention_to_a_sorted_batch),
}
"""Step of a study to its honest and its leaky form."""
