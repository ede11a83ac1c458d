"""ROC curves with their areas."""

from collections.abc import Mapping

from matplotlib.figure import Figure

from lnm_kit.errors import InputError
from lnm_kit.evaluation.auc import auc, roc_points
from lnm_kit.evaluation.estimate import Numbers
from lnm_kit.figures.style import GRAY, line_styles, new_figure, styled


def roc_figure(curves: Mapping[str, tuple[Numbers, Numbers]], *, title: str = "") -> Figure:
    """Draw ROC curves over the diagonal, with AUC and 95 % interval in the legend.

    Parameters
    ----------
    curves
        Name of a model or split to (label, score), as in :func:`lnm_kit.evaluation.auc`.
    title
        Above the axes.

    Raises
    ------
    InputError
        When there is no curve, or as in :func:`lnm_kit.evaluation.auc`.

    Examples
    --------
    >>> figure = roc_figure({"SVM": ([0, 0, 1, 1], [1, 3, 2, 4])})
    >>> figure.axes[0].get_legend().get_texts()[0].get_text()
    'SVM: 0.750 (0.069 to 0.992)'
    """
    if not curves:
        raise InputError("curves is empty; give at least one name with its labels and scores.")
    with styled():
        figure = new_figure(5.2, 5.4 + 0.22 * max(0, len(curves) - 3))
        axes = figure.subplots()
        axes.plot([0, 1], [0, 1], color=GRAY, linestyle=(0, (1, 2)), linewidth=1.2)
        for (name, (label, score)), style in zip(curves.items(), line_styles(), strict=False):
            points = roc_points(label, score)
            axes.plot(
                points["false_positive_rate"],
                points["true_positive_rate"],
                **{**style, "marker": ""},
                label=f"{name}: {auc(label, score)}",
            )
        axes.set(
            xlabel="1 - specificity (false positive rate)",
            ylabel="sensitivity (true positive rate)",
            xlim=(-0.02, 1.02),
            ylim=(-0.02, 1.02),
            aspect="equal",
            title=title,
        )
        axes.legend(
            title="AUC (95 % interval)",
            alignment="left",
            loc="upper center",
            bbox_to_anchor=(0.5, -0.14),
            handlelength=3.2,
        )
    return figure
