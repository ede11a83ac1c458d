"""How many features keep their value when the outline is drawn again."""

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from lnm_kit.errors import InputError
from lnm_kit.figures.style import GRAY, line_styles, new_figure, styled


def stability_figure(icc: pd.DataFrame, *, limit: float = 0.75, title: str = "") -> Figure:
    """Draw the share of features whose ICC exceeds a value, one panel an operator, a line a class.

    A line that stays high and falls late is a class of features that do not care who drew the
    outline. Features without an ICC (no spread) are left out, and counted in the panel's heading.

    Parameters
    ----------
    icc
        Features named as pyradiomics names them (rows), operators (columns), values up to 1 or NaN.
    limit
        Below it, agreement is called moderate or worse; drawn dashed.
    title
        Above the figure.

    Raises
    ------
    InputError
        When there is no operator or no feature with a value, a name has no class, or an ICC is
        above 1.

    Notes
    -----
    *Source*: the limit of 0.75 for good reliability is that of Koo and Li, J Chiropr Med
    2016;15:155-163.

    Examples
    --------
    >>> names = ["original_shape_Sphericity", "original_glcm_Contrast"]
    >>> figure = stability_figure(pd.DataFrame({"same operator": [0.9, 0.6]}, index=names))
    >>> [line.get_label() for line in figure.axes[0].get_lines()[:2]]
    ['shape (1)', 'glcm (1)']
    """
    classes = _checked(icc)
    with styled():
        figure = new_figure(0.6 + 3.9 * icc.shape[1], 3.9)
        row = figure.subplots(1, icc.shape[1], squeeze=False, sharey=True)[0]
        floor = float(np.nanmin(icc.to_numpy()))
        for place, (axes, operator) in enumerate(zip(row, icc.columns, strict=True)):
            of_operator = icc.iloc[:, place]
            for name, style in zip(classes.unique(), line_styles(), strict=False):
                values = np.sort(of_operator[classes == name].dropna().to_numpy())
                if not len(values):
                    continue
                above = np.r_[1, 1 - np.arange(len(values)) / len(values), 0]
                axes.step(
                    np.r_[min(floor, limit) - 0.05, values, values[-1]],
                    above,
                    where="pre",
                    label=f"{name} ({len(values)})",
                    color=style["color"],
                    linestyle=style["linestyle"],
                )
            axes.axvline(limit, color=GRAY, ls=(0, (4, 3)), lw=1.2)
            without = int(of_operator.isna().sum())
            heading = f"{operator} ({without} without ICC)" if without else str(operator)
            axes.set_title(heading, loc="left")
            axes.set(xlabel="ICC", xlim=(min(floor, limit) - 0.05, 1.01), ylim=(0, 1.03))
        row[0].set_ylabel("share of features with a higher ICC")
        row[0].legend(loc="lower left", handlelength=3)
        figure.suptitle(title, fontsize="medium")
    return figure


def _checked(icc: pd.DataFrame) -> pd.Series:
    """Class of each feature, or what is wrong."""
    problems = []
    if icc.empty or not icc.notna().any(axis=None):
        problems.append(f"the table has shape {icc.shape}; it needs an operator and one ICC")
    parts = icc.index.astype(str).str.split("_")
    nameless = icc.index[parts.str.len() < 3]
    if len(nameless):
        problems.append(f"{list(nameless[:3])} are no names such as original_glcm_Contrast")
    highest = float(np.nanmax(icc.to_numpy(), initial=-np.inf))
    if highest > 1 + 1e-9:
        problems.append(f"an ICC is {highest:g}; allowed: up to 1")
    if problems:
        raise InputError("stability figure: " + "; ".join(problems) + ".")
    return pd.Series(parts.str[1], index=icc.index)
