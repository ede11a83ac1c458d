"""How features were chosen: the volcano plot and the LASSO."""

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from lnm_kit.errors import InputError
from lnm_kit.figures.style import GRAY, PALETTE, line_styles, new_figure, styled
from lnm_kit.radiomics.lasso import LassoPath


def volcano_figure(
    table: pd.DataFrame,
    *,
    p_below: float = 0.05,
    log2_fold_change_above: float = 1.0,
    title: str = "",
) -> Figure:
    """Draw -log10 p against log2 fold change; what passes is filled and colored.

    Parameters
    ----------
    table
        From :func:`lnm_kit.radiomics.volcano`. Features without a defined fold change
        cannot be drawn; their number stands in the legend.
    p_below, log2_fold_change_above
        The dashed lines, as given to `volcano`.
    title
        Above the axes.

    Raises
    ------
    InputError
        When a column is missing or there is no feature.

    Examples
    --------
    >>> table = pd.DataFrame({"log2_fold_change": [2.0, 0.1, np.nan], "p_value": [0.001, 0.5, 0.2],
    ...     "passes": [True, False, False]}, index=["a", "b", "c"])
    >>> [text.get_text() for text in volcano_figure(table).axes[0].get_legend().get_texts()]
    ['pass (1)', 'do not pass (1)', 'fold change undefined (1), not drawn']
    """
    needed = ("log2_fold_change", "p_value", "passes")
    if table.empty or not set(needed) <= set(table.columns):
        raise InputError(
            f"the table has {len(table)} rows and the columns {list(table.columns)}; it needs at "
            f"least one row and the columns {', '.join(needed)}."
        )
    drawn = table[table["log2_fold_change"].notna()]
    passing, others = drawn[drawn["passes"]], drawn[~drawn["passes"]]
    with styled():
        figure = new_figure(5.6, 5.0)
        axes = figure.subplots()
        axes.scatter(
            passing["log2_fold_change"],
            _height(passing),
            s=26,
            color=PALETTE[1],
            marker="^",
            label=f"pass ({len(passing)})",
            zorder=3,
        )
        axes.scatter(
            others["log2_fold_change"],
            _height(others),
            s=14,
            facecolors="none",
            edgecolors=GRAY,
            linewidths=0.8,
            label=f"do not pass ({len(others)})",
        )
        undefined = len(table) - len(drawn)
        if undefined:
            axes.plot([], [], ls="", label=f"fold change undefined ({undefined}), not drawn")
        reach = 1.15 * max(1.3 * log2_fold_change_above, drawn["log2_fold_change"].abs().max())
        axes.set_xlim(-reach, reach)
        axes.set_ylim(bottom=0)
        axes.axhline(-np.log10(p_below), color=GRAY, ls="--", lw=1)
        for threshold in (-log2_fold_change_above, log2_fold_change_above):
            axes.axvline(threshold, color=GRAY, ls="--", lw=1)
        axes.set(
            xlabel="log$_2$ fold change, positive over negative cases",
            ylabel="-log$_{10}$ p",
            title=title,
        )
        axes.legend(loc="upper center", bbox_to_anchor=(0.5, -0.14), ncols=2, handletextpad=0.3)
    return figure


def lasso_figure(path: LassoPath, *, labeled: int = 6) -> Figure:
    """Draw the coefficients along the penalty, and the cross-validated error with one SE.

    Parameters
    ----------
    path
        From :func:`lnm_kit.radiomics.lasso_path`.
    labeled
        So many of the features kept at the chosen penalty are named, the largest first.

    Examples
    --------
    >>> path = LassoPath(np.array([0.1, 0.01]), pd.DataFrame([[0.0, 0.2]], index=["a"]),
    ...     np.array([0.2, 0.1]), np.array([0.01, 0.01]), 0.01)
    >>> len(lasso_figure(path).axes)
    2
    """
    kept = path.kept()
    named = list(kept.index[:labeled])
    with styled():
        figure = new_figure(8.4, 3.6 + 0.2 * len(named))
        paths, errors = figure.subplots(1, 2)
        rest = path.coefficients.drop(index=named)
        paths.plot(path.alphas, rest.to_numpy().T, color="#c4c4c4", lw=0.8, ls="-")
        for name, style in zip(named, line_styles(), strict=False):
            values = path.coefficients.loc[name]
            paths.plot(path.alphas, values, **{**style, "marker": ""}, label=name)
        paths.axhline(0, color=GRAY, lw=0.8, ls="-")
        paths.set(ylabel="coefficient (features of unit SD)")
        if named:
            figure.legend(
                *paths.get_legend_handles_labels(),
                fontsize="small",
                loc="outside lower left",
                handlelength=3.2,
            )
        errors.fill_between(
            path.alphas,
            path.error - path.error_se,
            path.error + path.error_se,
            color=PALETTE[0],
            alpha=0.2,
            lw=0,
        )
        errors.plot(path.alphas, path.error, color=PALETTE[0], ls="-")
        errors.set(ylabel="mean squared error, held-out folds")
        for axes in (paths, errors):
            axes.set(xscale="log", xlabel=r"penalty $\lambda$")
            axes.axvline(path.alpha, color=PALETTE[1], ls="--", lw=1.2)
        errors.set_title(
            rf"$\lambda_{{min}}$ = {path.alpha:.4g}: {len(kept)} of {len(path.coefficients)} kept"
        )
    return figure


def _height(table: pd.DataFrame) -> np.ndarray:
    # A p value can underflow to 0; it is drawn at the smallest number there is.
    return -np.log10(np.maximum(table["p_value"].to_numpy(), np.finfo(float).tiny))
