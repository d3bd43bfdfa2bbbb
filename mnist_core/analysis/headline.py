"""What the runs of a data set say in one sentence, and whether it is true. Loads without torch."""

import math
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import pandas as pd

from mnist_core.analysis.table import FINE_TUNED
from mnist_core.evaluation.differences import Difference, Noise, difference, pooled_noise
from mnist_core.evaluation.statistics import Spread

MARGIN = 0.0025  # a network that matches another is, with 95 % confidence, no further behind it
WORTH_SAYING = 10  # times its size; below it, a network has to match all larger ones

Row = Mapping[Hashable, Any]


@dataclass(frozen=True)
class Headline:
    """What is most worth knowing about some networks.

    "matches": with 95 % confidence `row` is at most MARGIN behind each larger network up to
    `other`, of `times` its size, and behind none of them for certain; `difference` is that to
    `other`, and `better` says whether it is clearly better than one of them.
    "highest": `row` has the highest test accuracy; `other` is the smallest network, if that is
    another one, and `times` says how much smaller. "only": `row` is the only network.
    """

    kind: Literal["matches", "highest", "only"]
    row: Row
    other: Row | None = None
    times: float = 1.0
    difference: Difference | None = None
    better: bool = False


class RepeatedRuns:
    """The runs of a data set that differ only in their seed: what they tell of training's luck."""

    def __init__(self, table: pd.DataFrame) -> None:
        """`table`: rows of table.runs_table, of one data set."""
        done = table[table["test_accuracy"].notna()]
        groups = done.groupby(["kind", "group"])["test_accuracy"].agg(["mean", "std", "count"])
        self._spreads = [
            (kind, Spread(mean, None if math.isnan(std) else std, int(count)))
            for kind, mean, std, count in groups.reset_index("group", drop=True).itertuples()
        ]

    def noise(self, *rows: Row | pd.Series) -> Noise | None:
        """How far repeated runs lie apart, over all networks with the recipes of these rows.

        Over all repeated runs where none has such a recipe; None where nothing was repeated.
        """
        kinds = {row["kind"] for row in rows}
        alike = pooled_noise(spread for kind, spread in self._spreads if kind in kinds)
        return alike or pooled_noise(spread for _, spread in self._spreads)

    def difference(self, a: Row | pd.Series, b: Row | pd.Series) -> Difference | None:
        """Of the test accuracies of two rows of analysis.aggregate; None without repeated runs."""
        noise = self.noise(a, b)
        return difference(spread_of(a), spread_of(b), noise) if noise else None


def spread_of(row: Row | pd.Series) -> Spread:
    """The test accuracy of a row of analysis.aggregate over its runs."""
    deviation = row["test_accuracy_deviation"]
    return Spread(
        float(row["test_accuracy"]),
        None if math.isnan(deviation) else float(deviation),
        int(row["seeds"]),
    )


def headline(rows: pd.DataFrame, repeated: RepeatedRuns) -> Headline | None:
    """Of the best row of each network; None when none is finished.

    `rows`: of analysis.aggregate, of one data set, the best first.
    """
    done = rows[rows["test_accuracy"].notna() & rows["parameters"].notna()]
    done = done[done["kind"] != FINE_TUNED]  # for somebody's handwriting, not for the data set
    networks = done.drop_duplicates("network").sort_values("parameters").to_dict("records")
    if not networks:
        return None
    if len(networks) == 1:
        return Headline("only", networks[0])
    matches = [_matched(row, networks[place + 1 :], repeated) for place, row in enumerate(networks)]
    found = [match for match in matches if match]
    return max(found, key=lambda match: match.times, default=None) or _highest(networks)


def _matched(row: Row, larger: Sequence[Row], repeated: RepeatedRuns) -> Headline | None:
    """How far up the line of larger networks `row` keeps up with each."""
    last, better = None, False
    for other in larger:
        apart = repeated.difference(row, other)
        if apart is None or apart.low < -MARGIN or apart.high < 0:
            break
        last, better = (other, apart), better or apart.low > 0
    if last is None:
        return None
    times = last[0]["parameters"] / row["parameters"]
    if times < (2 if last[0] is larger[-1] else WORTH_SAYING):
        return None
    return Headline("matches", row, last[0], times, last[1], better)


def _highest(networks: Sequence[Row]) -> Headline:
    best = max(networks, key=lambda row: row["test_accuracy"])
    smallest = networks[0]
    if smallest is best:
        return Headline("highest", best)
    times = best["parameters"] / smallest["parameters"]
    return Headline("highest", best, smallest, times)
