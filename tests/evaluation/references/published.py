"""Data printed with worked examples; every number of them was found again by computing."""

import numpy as np
import pandas as pd

# The 43 complete patients of DeLong, DeLong and Clarke-Pearson, Biometrics 1988;44:837-845 (ovarian
# cancer with obstruction): albumin, total protein, K-G score, outcome; as printed in the SAS/STAT
# user's guide, PROC LOGISTIC, "Comparing Receiver Operating Characteristic Curves". The guide turns
# the score round (10 - score).
_OVARIAN = np.fromstring(
    """
    3.0 5.8 10 0  3.2 6.3 5 1  3.9 6.8 3 1  2.8 4.8 6 0  3.2 5.8 3 1  0.9 4.0 5 0  2.5 5.7 8 0
    1.6 5.6 5 1  3.8 5.7 5 1  3.7 6.7 6 1  3.2 5.4 4 1  3.8 6.6 6 1  4.1 6.6 5 1  3.6 5.7 5 1
    4.3 7.0 4 1  3.6 6.7 4 0  2.3 4.4 6 1  4.2 7.6 4 0  4.0 6.6 6 0  3.5 5.8 6 1  3.8 6.8 7 1
    3.0 4.7 8 0  4.5 7.4 5 1  3.7 7.4 5 1  3.1 6.6 6 1  4.1 8.2 6 1  4.3 7.0 5 1  4.3 6.5 4 1
    3.2 5.1 5 1  2.6 4.7 6 1  3.3 6.8 6 0  1.7 4.0 7 0  3.7 6.1 5 1  3.3 6.3 7 1  4.2 7.7 6 1
    3.5 6.2 5 1  2.9 5.7 9 0  2.1 4.8 7 1  2.8 6.2 8 0  4.0 7.0 7 1  3.3 5.7 6 1  3.7 6.9 5 1
    3.6 6.6 5 1
    """,
    sep=" ",
).reshape(-1, 4)
OVARIAN_OUTCOME = _OVARIAN[:, 3]
OVARIAN_TESTS = {
    "albumin": _OVARIAN[:, 0],
    "protein": _OVARIAN[:, 1],
    "k_g": 10 - _OVARIAN[:, 2],
}

# Hanley and McNeil, Radiology 1982;143:29-36, table I: CT images rated 1 (normal) to 5 (abnormal).
CT_LABEL = np.repeat([0, 1], [58, 51])
CT_RATING = np.r_[
    np.repeat([1, 2, 3, 4, 5], [33, 6, 6, 11, 2]), np.repeat([1, 2, 3, 4, 5], [3, 2, 2, 11, 33])
]

# Shrout and Fleiss, Psychol Bull 1979;86:420-428, table 2: six subjects, four judges.
JUDGES = np.array(
    [[9, 2, 5, 8], [6, 1, 3, 2], [8, 4, 6, 8], [7, 1, 2, 6], [10, 5, 6, 9], [6, 2, 4, 7]]
)

# Student, Biometrika 1908;6:1-25: hours of sleep gained on two drugs.
SLEEP = (
    np.array([0.7, -1.6, -0.2, -1.2, -0.1, 3.4, 3.7, 0.8, 0.0, 2.0]),
    np.array([1.9, 0.8, 1.1, 0.1, -0.1, 4.4, 5.5, 1.6, 4.6, 3.4]),
)

# Agresti, Categorical Data Analysis 2002, p. 57: job satisfaction by income, 104 men.
JOB_SATISFACTION = np.array([[1, 3, 10, 6], [2, 3, 10, 7], [1, 6, 14, 12], [0, 1, 9, 11]])

# Duncan, in Reiss, Occupations and Social Status, 1961: income and education in 45 occupations,
# professional, white collar, blue collar.
_DUNCAN = {
    "prof": "62 86 72 76 75 92 55 90 64 86 21 84 64 93 80 100 72 86 42 74 76 98 76 97 41 84 48 91 "
    "53 45 60 56 42 44 78 82",
    "wc": "67 87 76 34 29 72 48 55 55 71 29 50",
    "bc": "21 23 47 39 81 28 36 32 22 22 44 25 15 29 7 7 42 26 9 19 21 15 21 20 16 26 16 28 9 17 "
    "14 22 12 30 17 25 7 20 34 47 8 32",
}
DUNCAN = pd.concat(
    pd.DataFrame(
        np.fromstring(text, sep=" ").reshape(-1, 2), columns=["income", "education"]
    ).assign(type=kind)
    for kind, text in _DUNCAN.items()
).reset_index(drop=True)
