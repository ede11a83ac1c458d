"""Gray-level co-occurrence matrix: which gray levels lie side by side."""

import numpy as np
from numba import njit

NAMES = (
    "Autocorrelation",
    "ClusterProminence",
    "ClusterShade",
    "ClusterTendency",
    "Contrast",
    "Correlation",
    "DifferenceAverage",
    "DifferenceEntropy",
    "DifferenceVariance",
    "Id",
    "Idm",
    "Idmn",
    "Idn",
    "Imc1",
    "Imc2",
    "InverseVariance",
    "JointAverage",
    "JointEnergy",
    "JointEntropy",
    "MCC",
    "MaximumProbability",
    "SumAverage",
    "SumEntropy",
    "SumSquares",
)
"""Features of pyradiomics' class `glcm`, in its order."""

_EPSILON = 2.220446049250313e-16

_TABLE = np.arange(1 << 14, dtype=np.float64)
_TABLE[1:] *= np.log2(_TABLE[1:])


def glcm_features(labels: np.ndarray, levels: np.ndarray, n_levels: np.ndarray) -> np.ndarray:
    r"""Compute the co-occurrence features of B images of one region.

    Symmetric matrices at distance 1 in the four directions of a slice; every feature is the mean
    over the directions that hold a pair.

    Parameters
    ----------
    labels, levels, n_levels
        See :class:`lnm_kit.radiomics.engine.binning.Binned`.

    Returns
    -------
    numpy.ndarray
        (B, 24) float64 in the order of `NAMES`; NaN where no two pixels of the region touch. Of a
        single gray level `Correlation` and `MCC` are 1 and `Imc1` and `Imc2` 0, as in pyradiomics.

    Notes
    -----
    With a symmetric matrix :math:`p` and marginals :math:`p_x`, the joint entropy under
    independence is :math:`HXY_1 = HXY_2 = 2 HX`, and the maximal correlation coefficient, the root
    of the second largest eigenvalue of :math:`Q`, is the spectral norm of
    :math:`D^{-1/2} p D^{-1/2} - \sqrt{p_x}\sqrt{p_x}^T` with :math:`D = diag(p_x)`. The
    :math:`2 \cdot 10^{-16}` that pyradiomics adds within logarithms is left out; that in the
    denominators of :math:`Q` is added to first order where it is felt. The coefficient agrees to
    about 1e-7, the others to about 1e-9 (`Imc1` near zero: 1e-7).

    *Source*: pyradiomics 3.0.1, class `RadiomicsGLCM`; Haralick et al. 1973; Image Biomarker
    Standardisation Initiative, reference manual, section 3.6.

    Examples
    --------
    >>> labels = np.zeros((1, 4, 4), np.int32)
    >>> labels[0, 1:3, 1:3] = [[1, 1], [2, 2]]
    >>> found = glcm_features(labels, np.array([[1, 2]]), np.array([2]))
    >>> round(float(dict(zip(NAMES, found[0]))["Contrast"]), 3)
    0.75
    """
    return _compute(labels, levels, n_levels, _TABLE)


@njit(cache=True, nogil=True, error_model="numpy")
def _compute(
    labels: np.ndarray, levels: np.ndarray, n_levels: np.ndarray, table: np.ndarray
) -> np.ndarray:
    n_images, height, width = labels.shape
    out = np.empty((n_images, 24))
    for image in range(n_images):
        n = n_levels[image]
        size = n + 1
        pairs = np.zeros((4, size * size), np.int32)
        right, left_down, down, right_down = pairs[0], pairs[1], pairs[2], pairs[3]
        for y in range(1, height - 1):
            row, below = labels[image, y], labels[image, y + 1]
            for x in range(1, width - 1):
                # Pairs with the outside fall into row or column 0, which is not read.
                start = row[x] * size
                right[start + row[x + 1]] += 1
                left_down[start + below[x - 1]] += 1
                down[start + below[x]] += 1
                right_down[start + below[x + 1]] += 1
        scaled = np.zeros((n, n, 4))
        roots = np.zeros((n, 4))
        row_out = out[image]
        row_out[:] = 0
        n_angles = 0
        for angle in range(4):
            matrix = pairs[angle].reshape(size, size)
            n_angles += _add_angle(
                matrix, levels[image, :n], table, row_out, scaled[:, :, angle], roots[:, angle]
            )
        row_out[19] = _maximal_correlations(scaled, roots)
        row_out /= n_angles if n_angles > 0 else np.nan
        if n == 1:
            row_out[19] = 1.0
    return out


@njit(cache=True, nogil=True, error_model="numpy")
def _add_angle(
    pairs: np.ndarray,
    gray: np.ndarray,
    table: np.ndarray,
    out: np.ndarray,
    scaled: np.ndarray,
    roots: np.ndarray,
) -> int:
    """Add one direction's features to `out` and say whether it holds a pair."""
    n = len(gray)
    highest = gray[n - 1]
    sums = np.zeros(2 * highest + 1, np.int64)
    differences = np.zeros(highest, np.int64)
    margin = np.zeros(n, np.int64)
    total, squares, logs, largest, products = 0, 0.0, 0.0, 0, 0.0
    for i in range(n):
        for j in range(i, n):
            count = pairs[i + 1, j + 1] + pairs[j + 1, i + 1]
            if count == 0:
                continue
            times = 1 if i == j else 2
            margin[i] += count
            if i != j:
                margin[j] += count
            total += times * count
            sums[gray[i] + gray[j]] += times * count
            differences[gray[j] - gray[i]] += times * count
            squares += times * float(count) * count
            products += times * float(count) * (gray[i] * gray[j])
            logs += times * (table[count] if count < len(table) else count * np.log2(count))
            largest = max(largest, count)
            scaled[i, j] = count
            scaled[j, i] = count
    if total == 0:
        return 0
    mean, margin_logs, n_present = 0.0, 0.0, 0
    for i in range(n):
        n_present += margin[i] > 0
        mean += float(margin[i]) * gray[i]
        count = margin[i]
        margin_logs += table[count] if count < len(table) else count * np.log2(count)
        roots[i] = np.sqrt(margin[i] / total)
    mean /= total
    variance = 0.0
    for i in range(n):
        variance += margin[i] * (gray[i] - mean) ** 2
    variance /= total
    for i in range(n):
        for j in range(n):
            if scaled[i, j] > 0:
                scaled[i, j] /= total * roots[i] * roots[j]

    entropy = np.log2(total) - logs / total
    margin_entropy = np.log2(total) - margin_logs / total
    # Of one gray level alone the entropies are zero, whatever their rounding says.
    shared = 2 * margin_entropy - entropy if n_present > 1 else 0.0
    prominence, shade, tendency, sum_entropy = 0.0, 0.0, 0.0, 0.0
    for k in range(2, 2 * highest + 1):
        if sums[k] > 0:
            p = sums[k] / total
            d = k - 2 * mean
            tendency += p * d**2
            shade += p * d**3
            prominence += p * d**4
            sum_entropy -= p * np.log2(p)
    average, average_square, difference_entropy, inverse = 0.0, 0.0, 0.0, 0.0
    id_, idm, idn, idmn = 0.0, 0.0, 0.0, 0.0
    for k in range(highest):
        if differences[k] > 0:
            p = differences[k] / total
            average += k * p
            average_square += p * k * k
            difference_entropy -= p * np.log2(p)
            id_ += p / (1 + k)
            idm += p / (1 + k * k)
            idn += p / (1 + k / highest)
            idmn += p / (1 + (k * k) / (highest * highest))
            if k > 0:
                inverse += p / (k * k)
    spread = 0.0
    for k in range(highest):
        if differences[k] > 0:
            spread += differences[k] / total * (k - average) ** 2

    out[0] += products / total
    out[1] += prominence
    out[2] += shade
    out[3] += tendency
    out[4] += average_square
    out[5] += (tendency - 2 * variance) / 2 / (variance + 2.2e-16) if variance > 0 else 1.0
    out[6] += average
    out[7] += difference_entropy
    out[8] += spread
    out[9] += id_
    out[10] += idm
    out[11] += idmn
    out[12] += idn
    out[13] += -shared / margin_entropy if n_present > 1 else 0.0
    out[14] += np.sqrt(1 - np.exp(-2 * shared)) if shared > 0 else 0.0
    out[15] += inverse
    out[16] += mean
    out[17] += squares / total / total
    out[18] += entropy
    out[20] += largest / total
    out[21] += 2 * mean
    out[22] += sum_entropy
    out[23] += variance
    return 1


@njit(cache=True, nogil=True, error_model="numpy")
def _maximal_correlations(matrices: np.ndarray, roots: np.ndarray) -> float:
    """Sum of the maximal correlation coefficients of the 4 directions; overwrites `matrices`."""
    if len(roots) == 1:
        return 0.0
    rarest = np.ones(4)
    for i in range(len(roots)):
        for m in range(4):
            if roots[i, m] > 0:
                rarest[m] = min(rarest[m], roots[i, m] ** 2)
    # What pyradiomics adds to a denominator shows in large regions with rare gray levels only.
    is_felt = _EPSILON / rarest**2 > 1e-7
    kept = matrices.copy() if is_felt.any() else matrices
    found = _extreme_eigenvalues(matrices, roots)
    total = 0.0
    for m in range(4):
        square = found[m] ** 2
        if is_felt[m]:
            square += _shift(kept[:, :, m], roots[:, m], found[m])
        total += np.sqrt(max(square, 0.0))
    return total


@njit(cache=True, nogil=True, error_model="numpy")
def _shift(matrix: np.ndarray, roots: np.ndarray, eigenvalue: float) -> float:
    """First-order change of the squared eigenvalue by pyradiomics' epsilon.

    With the eigenvector w and the marginals p, y = w / p, it is -epsilon eigenvalue y^T M y. The
    eigenvector comes from inverse iteration by Gaussian elimination.
    """
    n = len(roots)
    a = np.empty((n, n + 1))
    w = np.ones(n)
    for _ in range(3):
        for i in range(n):
            for j in range(n):
                a[i, j] = matrix[i, j] - roots[i] * roots[j]
            a[i, i] -= eigenvalue
            a[i, n] = w[i] * (1 + 0.1 * (i % 3))
        for k in range(n):
            pivot = k
            for i in range(k + 1, n):
                if abs(a[i, k]) > abs(a[pivot, k]):
                    pivot = i
            for j in range(k, n + 1):
                a[k, j], a[pivot, j] = a[pivot, j], a[k, j]
            if abs(a[k, k]) < 1e-15:
                a[k, k] = 1e-15
            for i in range(k + 1, n):
                factor = a[i, k] / a[k, k]
                for j in range(k + 1, n + 1):
                    a[i, j] -= factor * a[k, j]
        length = 0.0
        for i in range(n - 1, -1, -1):
            rest = a[i, n]
            for j in range(i + 1, n):
                rest -= a[i, j] * w[j]
            w[i] = rest / a[i, i]
            length += w[i] ** 2
        w /= np.sqrt(length)
    total = 0.0
    for i in range(n):
        for j in range(n):
            if roots[i] > 0 and roots[j] > 0:
                total += w[i] / roots[i] ** 2 * matrix[i, j] * w[j] / roots[j] ** 2
    return -_EPSILON * eigenvalue * total


@njit(cache=True, nogil=True, error_model="numpy")
def _extreme_eigenvalues(matrices: np.ndarray, roots: np.ndarray) -> np.ndarray:
    """Eigenvalue of largest size of M - r r^T in the 4 directions, (4,); overwrites `matrices`.

    All four at once, direction innermost and written out, so that they fill a vector register:
    Householder's tridiagonal form, then bisection on whether an eigenvalue lies beyond -x or x.
    """
    a, n = matrices, matrices.shape[0]
    for i in range(n):
        for j in range(n):
            for m in range(4):
                a[i, j, m] -= roots[i, m] * roots[j, m]
    v, w, square = np.zeros((n, 4)), np.zeros((n, 4)), np.zeros((n, 4))
    h, f = np.empty(4), np.empty(4)
    for k in range(n - 2):
        # Reflect row k, right of the diagonal, onto its first entry.
        h[:] = 0
        for i in range(k + 1, n):
            for m in range(4):
                v[i, m] = a[k, i, m]
                h[m] += v[i, m] * v[i, m]
        for m in range(4):
            square[k + 1, m] = h[m]
            shift = np.sqrt(h[m]) if v[k + 1, m] >= 0 else -np.sqrt(h[m])
            half = h[m] + v[k + 1, m] * shift
            f[m] = 1 / half if half > 1e-300 else 0.0
            v[k + 1, m] += shift
        h[:] = 0
        for i in range(k + 1, n):
            s0, s1, s2, s3 = 0.0, 0.0, 0.0, 0.0
            for j in range(k + 1, n):
                s0 += a[i, j, 0] * v[j, 0]
                s1 += a[i, j, 1] * v[j, 1]
                s2 += a[i, j, 2] * v[j, 2]
                s3 += a[i, j, 3] * v[j, 3]
            w[i, 0], w[i, 1], w[i, 2], w[i, 3] = s0 * f[0], s1 * f[1], s2 * f[2], s3 * f[3]
            for m in range(4):
                h[m] += w[i, m] * v[i, m]
        for i in range(k + 1, n):
            for m in range(4):
                w[i, m] -= 0.5 * f[m] * h[m] * v[i, m]
        for i in range(k + 1, n):
            v0, v1, v2, v3 = v[i, 0], v[i, 1], v[i, 2], v[i, 3]
            w0, w1, w2, w3 = w[i, 0], w[i, 1], w[i, 2], w[i, 3]
            for j in range(k + 1, n):
                a[i, j, 0] -= v0 * w[j, 0] + w0 * v[j, 0]
                a[i, j, 1] -= v1 * w[j, 1] + w1 * v[j, 1]
                a[i, j, 2] -= v2 * w[j, 2] + w2 * v[j, 2]
                a[i, j, 3] -= v3 * w[j, 3] + w3 * v[j, 3]
    for m in range(4):
        square[n - 1, m] = a[n - 1, n - 2, m] ** 2

    # Eight recurrences side by side: the four matrices, and the four with the sign turned.
    diagonal, squares = np.empty((n, 8)), np.empty((n, 8))
    for i in range(n):
        for m in range(4):
            diagonal[i, m], diagonal[i, m + 4] = a[i, i, m], -a[i, i, m]
            squares[i, m] = squares[i, m + 4] = square[i, m]
    low, high = np.zeros(8), np.full(8, 1.0 + 1e-12)
    x, q, most = np.empty(8), np.empty(8), np.empty(8)
    sign = np.ones(4)
    for _ in range(42):
        for m in range(8):
            x[m] = 0.5 * (low[m] + high[m])
            q[m] = 1.0
            most[m] = 0.0
        for i in range(n):
            for m in range(8):
                q[m] = (diagonal[i, m] - x[m]) - squares[i, m] / q[m]
                most[m] = max(most[m], q[m])
                q[m] = q[m] if q[m] != 0 else -1e-290
        for m in range(8):
            is_beyond = most[m] > 0 or most[(m + 4) % 8] > 0
            if is_beyond and m < 4:
                sign[m] = 1.0 if most[m] > 0 else -1.0
            low[m] = x[m] if is_beyond else low[m]
            high[m] = high[m] if is_beyond else x[m]
    return sign * (low + high)[:4] / 2
