"""What happened in each epoch of a training."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pandas as pd

COLUMNS = ("learning_rate", "training_loss", "validation_loss", "validation_auc", "seconds")


@dataclass(frozen=True)
class History:
    """One row an epoch, and the epoch whose weights the network holds now.

    Parameters
    ----------
    epochs
        Index ``epoch`` (from 1); columns ``learning_rate``, ``training_loss`` (of the varied images
        while the epoch ran), ``validation_loss``, ``validation_auc`` (one score per case) and
        ``seconds``. Both losses are weighted.
    kept_epoch
        The epoch whose weights were kept.
    """

    epochs: pd.DataFrame
    kept_epoch: int

    @classmethod
    def of(cls, rows: Sequence[Mapping[str, float]], kept_epoch: int) -> "History":
        """Make the table from one mapping an epoch.

        Examples
        --------
        >>> History.of([dict.fromkeys(COLUMNS, 0.5)], kept_epoch=1).epochs.loc[1, "validation_auc"]
        np.float64(0.5)
        """
        index = pd.RangeIndex(1, len(rows) + 1, name="epoch")
        return cls(pd.DataFrame(list(rows), index=index, columns=list(COLUMNS)), kept_epoch)
