"""Compare: which network is better, and is the difference real?"""

from dataclasses import asdict

import numpy as np
import pandas as pd
import streamlit as st

from mnist_core.evaluation.differences import Difference
from mnist_core.evaluation.statistics import Paired, mcnemar
from mnist_core.formatting import counted, percent_spread, plain, points, signed_points
from pages.components.compare import files
from pages.components.compare.calibration import calibrations
from pages.components.compare.comparison import Comparison, pick
from pages.components.compare.predictions import (
    Tested,
    count_images,
    read_predictions,
    same_data,
    show_images,
    which_runs,
)
from pages.components.compare.settings import settings
from pages.components.shared.common import unbroken

LIKELY = 0.05  # a p-value below it is called a difference
CARDS, IMAGES = 4, 14  # in a row
LARGE = '<span style="font-size:1.3rem;font-weight:600">'


def better_tab(comparison: Comparison) -> None:
    """A card for each network, the verdict beside it, and the images that only one gets right."""
    chosen = comparison.chosen
    if len(chosen) < 2:
        cards(comparison)
        st.info("Add a second network, by a click in the chart or “+ add” below, to compare them.")
        return
    if len(chosen) == 2:
        left, right = st.columns(2, gap="medium")
    else:
        left, right = st.container(), st.container()
    with left:
        cards(comparison)
    found = read_predictions(comparison, quiet=True)
    with right:
        first = pick(
            comparison,
            chosen if len(chosen) > 2 else chosen[:1],
            "cmp_against",
            "The network that the others are compared with.",
            "Compare the others with",
        )
        peers = [run_id for run_id in chosen if run_id != first]
        pairs = {peer: paired(found, first, peer) for peer in peers}
        for peer in peers:
            verdict(comparison, first, peer, pairs[peer])
    rows = [_for_file(comparison, first, peer, pair) for peer, pair in pairs.items() if pair]
    files.offer("cmp_mcnemar", pd.DataFrame(rows))
    disagreements(comparison, found, first, [peer for peer in peers if pairs[peer]])
    confidence = st.expander("How far off is its confidence?", key="cmp_trust", on_change="rerun")
    if found and confidence.open:
        with confidence:
            calibrations(comparison, {run_id: each.run for run_id, each in found.items()})
    different = st.expander("Which settings differ?", key="cmp_settings", on_change="rerun")
    if different.open:
        with different:
            settings(comparison)


def cards(comparison: Comparison) -> None:
    """Mean ± deviation, parameters and receptive field of each network."""
    places = st.columns(min(CARDS, max(2, len(comparison.chosen))))
    for number, run_id in enumerate(comparison.chosen):
        row = comparison.row(run_id)
        seeds = int(row["seeds"])
        deviation = row["test_accuracy_deviation"] if seeds > 1 else None
        accuracy = percent_spread(row["test_accuracy"], deviation)
        about: list[str] = []
        if pd.notna(row["parameters"]):
            about.append(f"{row['parameters']:,} parameters")
        if pd.notna(row["receptive_field"]):
            about.append(f"receptive field {row['receptive_field']}")
        with places[number % len(places)].container(border=True, gap="xsmall"):
            st.markdown(comparison.badge(run_id))
            st.html(f"{LARGE}{accuracy}</span> {counted(seeds, 'run')}")
            st.caption(" · ".join(about))


def paired(found: dict[str, Tested], first: str, peer: str) -> Paired | None:
    """McNemar's test of two networks; None where one kept no predictions for the same images."""
    if first not in found or peer not in same_data(found, first):
        return None
    return mcnemar(found[first].given.correct, found[peer].given.correct)


def _for_file(comparison: Comparison, first: str, peer: str, pair: Paired) -> dict:
    labels = comparison.labels
    return {"network": labels[first], "other": labels[peer], **asdict(pair)}


def verdict(comparison: Comparison, first: str, peer: str, pair: Paired | None) -> None:
    """Which of two is better: whether it would be so with other seeds, and with other images."""
    a, b = comparison.row(first), comparison.row(peer)
    finished: bool = pd.notna(a["test_accuracy"]) and pd.notna(b["test_accuracy"])
    apart = comparison.repeated.difference(a, b) if comparison.repeated and finished else None
    names = plain(comparison.labels[first]), plain(comparison.labels[peer])
    st.subheader(conclusion(names, apart, pair), anchor=False)
    lines = [
        apart and by_seeds(names, apart, (int(a["seeds"]), int(b["seeds"]))),
        pair and by_images(names, pair),
    ]
    text = "\n".join(f"- {line}" for line in lines if line)
    st.markdown(unbroken(text) or UNTESTED, help=TESTS)


UNTESTED = (
    "A test needs finished runs: several with different seeds, or single ones that kept their "
    "predictions for the test images."
)
TESTS = """
**Trained again**: Student's interval for the difference of the mean test accuracies. How far
repeated runs of a network lie apart is estimated from all repeated runs with these recipes.

**Other images**: McNemar's test of two trained networks. It counts the images on which exactly one
is right: for equally good networks, each would be the toss of a coin. Of twenty comparisons of
equally good networks, one falls below 5 % by chance.
"""


def conclusion(names: tuple[str, str], apart: Difference | None, pair: Paired | None) -> str:
    """The verdict in a sentence: sure only where both questions have the same clear answer."""
    signs = [np.sign(apart.mean) if apart.is_clear else 0] if apart else []
    if pair:
        clear = pair.p_value < LIKELY
        signs.append(np.sign(pair.only_a - pair.only_b) if clear else 0)
    total = sum(signs)
    if not signs:
        return f"{names[0]} and {names[1]} cannot be tested yet"
    better, worse = names if total > 0 else names[::-1]
    if not total:
        return f"No clear difference between {names[0]} and {names[1]}"
    if all(sign == np.sign(total) for sign in signs):
        return f"{better} is better than {worse}"
    return f"{better} may be better than {worse}, but that is not certain"


def by_seeds(names: tuple[str, str], apart: Difference, counts: tuple[int, int]) -> str:
    """Whether it would be so if both were trained again."""
    ahead = names[0] if apart.mean >= 0 else names[1]
    sign = 1 if apart.mean >= 0 else -1
    low, high = sorted((sign * apart.low, sign * apart.high))
    runs = counted(counts[0], "run") + " each"
    if counts[0] != counts[1]:
        runs = f"{counted(counts[0], 'run')} and {counted(counts[1], 'run')}"
    outcome = "more than luck" if apart.is_clear else "it could be luck"
    return (
        f"Trained again: {ahead} is ahead by {points(apart.mean)}; {outcome} "
        f"(95 % interval {signed_points(low)} to {signed_points(high)}; {runs})."
    )


def by_images(names: tuple[str, str], pair: Paired) -> str:
    """Whether it would be so with other images, for two trained networks."""
    count = pair.only_a + pair.only_b
    if not count:
        return "Other images: these two are right on the same images."
    more, most = (names[0], pair.only_a) if pair.only_a >= pair.only_b else (names[1], pair.only_b)
    luck = "less than once in 1,000 times"
    if pair.p_value >= 0.001:
        luck = f"in {100 * pair.p_value:.2g} % of cases" if pair.p_value < 1 else "every time"
    return (
        f"Other images: exactly one is right on {counted(count, 'image')}, {more} on {most:,} of "
        f"them. Coin tosses would split at least this unevenly {luck}."
    )


def disagreements(
    comparison: Comparison, found: dict[str, Tested], first: str, peers: list[str]
) -> None:
    """The images that only one of two networks gets right."""
    if not peers:
        return
    help = "The images on which exactly one of the two is right."
    other = f"Images: {comparison.labels[first]} against"
    peer = pick(comparison, peers, "cmp_peer", help, other)
    a, b = found[first], found[peer]
    for right, wrong, name in ((a, b, first), (b, a, peer)):
        places = np.flatnonzero(right.given.correct & ~wrong.given.correct)
        places = places[np.argsort(-wrong.given.confidence[places], kind="stable")]
        st.markdown(f"**Only {comparison.badge(name)} is right: {count_images(places)}**")
        show_images(wrong, places, IMAGES)
    runs = which_runs(comparison, {first: a, peer: b})
    if runs:
        st.caption(f"The runs compared image by image: {runs}.")
