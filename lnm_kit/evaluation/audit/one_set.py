"""Whether all rows of a split rest on one set of cases, and on which."""

from collections.abc import Collection, Iterator

from lnm_kit.evaluation.audit.denominators import SEARCHED_TO, common_denominators, fitting_pairs
from lnm_kit.evaluation.audit.finding import CANNOT, Finding
from lnm_kit.evaluation.audit.matrices import spoken
from lnm_kit.evaluation.audit.metric_tables import rate_ranges
from lnm_kit.evaluation.audit.paper import Paper, Table
from lnm_kit.evaluation.audit.readings import one_unit
from lnm_kit.evaluation.audit.repeats import repeated_columns

ONE_SET_CHECK = "one set of cases for all rows"

_SHOWN = 3


def check_one_set(paper: Paper, table: Table, failing: Collection[str]) -> Iterator[Finding]:
    """Look for positives and negatives that fit all rows of a split, where the stated ones do not.

    Rates that repeat another one are left out.

    Parameters
    ----------
    paper, table
        A table of metrics.
    failing
        Names of the rows whose rates cannot be obtained from the stated counts.
    """
    doubtful = {name for pair in repeated_columns(table) for name in pair}
    left_out = doubtful - {"sensitivity", "specificity"}
    for split_name in dict.fromkeys(table.split_of(row) for row in table.rows):
        rows = [row for row in table.rows if table.split_of(row) == split_name]
        if len(rows) < 2 or not any(table.name_of(row) in failing for row in rows):
            continue
        rates = [
            {name: found for name, found in rate_ranges(table, row).items() if name not in left_out}
            for row in rows
        ]
        if not all({"sensitivity", "specificity"} <= set(found) for found in rates):
            continue
        pairs = set(fitting_pairs(rates[0]))
        for found in rates[1:]:
            if pairs:
                pairs &= set(fitting_pairs(found))
        said = f"without {', '.join(map(spoken, sorted(left_out)))}, " if left_out else ""
        best = sorted(pairs, key=sum)
        if best:
            shown = ", ".join(f"{p} positives and {n} negatives" for p, n in best[:_SHOWN])
            more = ", and more" if len(best) > _SHOWN else ""
            said += f"these fit all {len(rows)} rows: {shown}{more}"
        else:
            said += f"no counts up to {SEARCHED_TO} fit all {len(rows)} rows"
            for name in ("sensitivity", "specificity"):
                ranges = [one_unit(found[name]) for found in rates]
                below = common_denominators(ranges, SEARCHED_TO)[:1]
                if below:
                    said += f"; {name} alone, to one unit: counts of {below[0]}"
        label = split_name or "all rows"
        yield Finding(table.title, f"{label}, {len(rows)} rows", ONE_SET_CHECK, CANNOT, said)
