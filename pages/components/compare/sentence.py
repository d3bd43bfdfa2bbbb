"""The sentence at the top of Compare, in words; what it says is worked out in analysis.headline."""

import math

import pandas as pd

from mnist_core.analysis.headline import MARGIN, Headline, Row, spread_of
from mnist_core.formatting import counted, percent_spread, points, signed_points


def in_words(found: Headline) -> str:
    """One sentence, as Markdown."""
    name, accuracy = found.row["title"], accuracy_of(found.row)
    if found.kind == "only":
        return f"{name} has {accuracy}. Train another network to compare it."
    if found.kind == "matches" and found.difference and found.other:
        verb = "beats" if found.difference.low > 0 else "matches"
        verb = "matches or beats" if found.better and verb == "matches" else verb
        return f"{name} {verb} networks up to {times(found.times)} times its size: {accuracy}"
    if found.other is None:
        return f"{name}, the smallest network, has the highest accuracy: {accuracy}"
    behind = found.row["test_accuracy"] - found.other["test_accuracy"]
    return (
        f"{name} has the highest accuracy: {accuracy}; {found.other['title']}, "
        f"{times(found.times)} times smaller, is {points(behind)} behind"
    )


def how_it_is_known(found: Headline, repeated: bool) -> str:
    """What stands behind the sentence, for its tooltip."""
    if found.kind == "matches" and found.difference and found.other:
        low, high = (signed_points(v) for v in (found.difference.low, found.difference.high))
        return (
            f"Compared with each larger network up to {found.other['title']} "
            f"({accuracy_of(found.other)}), whose difference from {found.row['title']} is between "
            f"{low} and {high} points with 95 % confidence. *Matches* means: at most "
            f"{100 * MARGIN:.2f} points behind with that confidence, and not clearly behind. The "
            "confidence is about training again with other seeds, on the same test images."
        )
    if not repeated:
        return (
            "Each network was trained once. Repeat runs with other seeds on the Train page to see "
            "how much of a difference is luck."
        )
    return "Mean test accuracy over repeated runs, of each network's best recipe shown here."


def accuracy_of(row: Row | pd.Series) -> str:
    """ "99.55 ± 0.03 % (3 runs)"."""
    spread = spread_of(row)
    return f"{percent_spread(spread.mean, spread.deviation)} ({counted(spread.count, 'run')})"


def times(ratio: float) -> str:
    """A ratio rounded down to two figures: 1,201.8 -> "1,200"; below ten to one decimal."""
    if ratio < 10:
        return f"{math.floor(10 * ratio) / 10:g}"
    unit = 10 ** (math.floor(math.log10(ratio)) - 1)
    return f"{math.floor(ratio / unit) * unit:,}"
