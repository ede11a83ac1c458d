"""The sets of cases that a row may rest on instead of the stated one."""

from lnm_kit.evaluation.audit.paper import Paper


def all_candidates(paper: Paper, own: tuple[int, int]) -> dict[str, tuple[int, int]]:
    """Give other counts that a row may rest on: splits, all cases, resampled or reversed sets."""
    found = dict(paper.candidates)
    for name, split in paper.splits.items():
        if split.pair and split.pair != own:
            found[f"split {name}"] = split.pair
    if paper.total and paper.total.pair and len(paper.splits) > 1:
        found["all cases"] = paper.total.pair
    if own[0] != own[1]:
        found["the split with the smaller class oversampled"] = (max(own), max(own))
        found["the split with the larger class undersampled"] = (min(own), min(own))
        found["the split with the classes reversed"] = (own[1], own[0])
    return found
