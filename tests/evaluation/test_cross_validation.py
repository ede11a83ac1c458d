import joblib
import numpy as np
import pandas as pd
import pytest
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import KNeighborsClassifier
from sklearn.svm import SVC

from lnm_kit.errors import InputError
from lnm_kit.evaluation.auc import auc
from lnm_kit.evaluation.cross_validation import case_scores, out_of_fold_scores


class RemembersRows(ClassifierMixin, BaseEstimator):
    """Scores 1 for every row or patient that it was fitted on."""

    def fit(self, X, y):  # noqa: N803
        self.classes_ = np.unique(y)
        self.seen_ = X
        return self

    def predict_proba(self, X):  # noqa: N803
        known = X["row"].isin(self.seen_["row"]) | X["patient"].isin(self.seen_["patient"])
        return np.column_stack([~known, known]).astype(float)


def table(n: int = 60) -> tuple[pd.DataFrame, np.ndarray, np.ndarray]:
    patients = np.arange(n) // 3
    label = (patients % 3 == 0).astype(int)
    return pd.DataFrame({"row": np.arange(n), "patient": patients}), label, patients


def test_no_row_and_no_patient_is_scored_by_a_model_that_saw_it():
    features, label, patients = table()
    scores = out_of_fold_scores(RemembersRows(), features, label, patients, folds=5, seed=0)
    assert not scores.any()


def test_noise_copied_within_a_patient_is_not_learned():
    rng = np.random.default_rng(0)
    patients = np.arange(200) // 4
    label = rng.permutation(np.arange(50) % 2)[patients]
    features = pd.DataFrame(rng.normal(size=(50, 3))[patients] + rng.normal(0, 1e-3, (200, 3)))
    nearest = KNeighborsClassifier(1)
    grouped = out_of_fold_scores(nearest, features, label, patients, folds=5, seed=0)
    leaky = out_of_fold_scores(nearest, features, label, np.arange(200), folds=5, seed=0)
    assert abs(auc(label, grouped).value - 0.5) < 0.2
    assert auc(label, leaky).value > 0.9


def test_scores_depend_on_the_seed_alone_and_the_estimator_stays_unfitted():
    rng = np.random.default_rng(0)
    label = np.arange(60) % 2
    features = pd.DataFrame(rng.normal(size=(60, 3)) + label[:, None])
    model = LogisticRegression()
    first, again, other = (
        out_of_fold_scores(model, features, label, np.arange(60), folds=3, seed=s)
        for s in (0, 0, 1)
    )
    assert (first == again).all()
    assert (first != other).any()
    assert not hasattr(model, "coef_")


def test_parallel_folds_do_not_change_the_scores():
    features, label, patients = table()
    given = (LogisticRegression(), features.astype(float), label, patients)
    one = out_of_fold_scores(*given, folds=3, seed=0)
    with joblib.parallel_config("threading"):
        two = out_of_fold_scores(*given, folds=3, seed=0, n_jobs=2)
    assert one.tolist() == two.tolist()


def test_decision_functions_are_mapped_to_0_1_in_order():
    rng = np.random.default_rng(0)
    features = rng.normal(size=(40, 2))
    model = SVC().fit(features, np.arange(40) % 2)
    scores, decisions = case_scores(model, features), model.decision_function(features)
    assert ((scores > 0) & (scores < 1)).all()
    assert (np.argsort(scores) == np.argsort(decisions)).all()
    assert ((scores > 0.5) == (decisions > 0)).all()


def test_fewer_patients_of_a_class_than_folds_are_refused():
    features, label, patients = table(30)  # ten patients, four of them positive
    with pytest.raises(InputError, match=r"5 folds need .* found 4 positive and 6 negative"):
        out_of_fold_scores(LogisticRegression(), features, label, patients, folds=5, seed=0)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"label": np.arange(60)}, "other values than 0 and 1"),
        ({"groups": np.arange(10)}, "one entry per row"),
        ({"folds": 1}, "2 or more"),
    ],
)
def test_bad_input_is_named(change, message):
    features, label, patients = table()
    given = {"label": label, "groups": patients, "folds": 5} | change
    with pytest.raises(InputError, match=message):
        out_of_fold_scores(LogisticRegression(), features, seed=0, **given)
