"""Calibration curves with the predictions below."""

from collections.abc import Mapping

import numpy as np
from matplotlib.figure import Figure

from lnm_kit.errors import InputError
from lnm_kit.evaluation.calibration import brier_score, calibration_curve
from lnm_kit.evaluation.estimate import Numbers
from lnm_kit.figures.style import GRAY, line_styles, new_figure, styled

_BINS = np.linspace(0, 1, 21)


def calibration_figure(
    models: Mapping[str, tuple[Numbers, Numbers]], *, groups: int = 10, title: str = ""
) -> Figure:
    """Draw observed shares over mean predictions, and how many cases got which prediction.

    Each marker is a quantile group of the predictions with Wilson's 95 % interval of its share of
    positives; on the dotted diagonal the predictions mean what they say. Below, a histogram of the
    predictions of each model in 20 bins. The legend gives the Brier score.

    Parameters
    ----------
    models
        Name of a model or split to (label, probability), as in
        :func:`lnm_kit.evaluation.calibration.calibration_curve`.
    groups
        How many groups to form.
    title
        Above the axes.

    Raises
    ------
    InputError
        When there is no model, or as in
        :func:`lnm_kit.evaluation.calibration.calibration_curve`.

    Examples
    --------
    >>> models = {"SVM": ([0, 0, 1, 0, 1, 1], [0.1, 0.2, 0.3, 0.6, 0.7, 0.9])}
    >>> figure = calibration_figure(models, groups=3)
    >>> [axes.get_ylabel() for axes in figure.axes]
    ['observed share of positives', 'cases']
    """
    if not models:
        raise InputError("models is empty; give at least one name with labels and probabilities.")
    with styled():
        figure = new_figure(5.2, 6.4 + 0.22 * max(0, len(models) - 3))
        curve, strip = figure.subplots(2, 1, sharex=True, height_ratios=[4, 1])
        curve.plot([0, 1], [0, 1], color=GRAY, linestyle=(0, (1, 2)), linewidth=1.2)
        for (name, (label, probability)), style in zip(models.items(), line_styles(), strict=False):
            table = calibration_curve(label, probability, groups=groups)
            below = np.maximum(table["observed"] - table["lo"], 0)
            above = np.maximum(table["hi"] - table["observed"], 0)
            curve.errorbar(
                table["mean_predicted"],
                table["observed"],
                yerr=[below, above],
                **style,
                markersize=5,
                linewidth=1.5,
                elinewidth=0.9,
                capsize=2,
                label=f"{name}: {brier_score(label, probability)}",
            )
            strip.hist(
                np.asarray(probability, dtype=np.float64),
                bins=_BINS.tolist(),
                histtype="step",
                color=style["color"],
                linestyle=style["linestyle"],
                linewidth=1.3,
            )
        curve.set(
            ylabel="observed share of positives",
            xlim=(-0.02, 1.02),
            ylim=(-0.02, 1.02),
            title=title,
        )
        strip.set(xlabel="predicted probability", ylabel="cases")
        strip.legend(
            *curve.get_legend_handles_labels(),
            title="Brier score (95 % interval)",
            alignment="left",
            loc="upper center",
            bbox_to_anchor=(0.5, -0.45),
            handlelength=3.6,
        )
    return figure
