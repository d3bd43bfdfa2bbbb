"""Compare: is the confidence justified, and is one network really better than another?"""

from dataclasses import asdict

import pandas as pd
import streamlit as st

from mnist_core.analysis.evaluations import reliability_points
from mnist_core.charts.evaluations import reliability_diagram
from mnist_core.evaluation.calibration import Scaled, with_temperature
from mnist_core.evaluation.predictions import Predictions, logits_and_labels
from mnist_core.evaluation.statistics import Paired, mcnemar
from mnist_core.runs.run import PARTS, Run
from mnist_core.runs.store import RunStore
from pages.components.compare.comparison import Comparison, chart, export, pick
from pages.components.compare.predictions import read_predictions, same_data

LIKELY = 0.05  # a p-value below it is called a difference


def trust_tab(comparison: Comparison) -> None:
    """Calibration of each network, then each other network against one."""
    found = read_predictions(comparison)
    if not found:
        return
    calibrations(comparison, list(found))
    st.markdown("##### Is one network better than another?")
    help = "The network that the others are compared with."
    run = pick(comparison, list(found), "cmp_against_run", help)
    tested = same_data(comparison, found, run)
    if len(tested) > 1:
        pairwise_tests(comparison, run, tested)
    else:
        st.info("Tick a second network of the same data set to compare the two.")


@st.cache_data(show_spinner=False, max_entries=200)
def _calibration(_store: RunStore, _run: Run, path: str, version: tuple[int, int]) -> Scaled:
    return with_temperature(*(logits_and_labels(_store, _run, part) for part in PARTS))


def calibration_of(store: RunStore, run: Run) -> Scaled:
    """Cached until the file of logits changes. Raises LabError."""
    file = run.logits_file
    stat = file.stat()
    return _calibration(store, run, str(file), (stat.st_mtime_ns, stat.st_size))


def calibrations(comparison: Comparison, ids: list[str]) -> None:
    """The reliability diagram beside the figures it comes down to."""
    results = {
        comparison.labels[run_id]: calibration_of(comparison.store, comparison.runs[run_id])
        for run_id in ids
    }
    scaled = st.toggle(
        "With temperature scaling",
        key="cmp_scaled",
        bind="query-params",
        help="Divides the logits by one number, fitted on the validation images: predictions stay "
        "the same, their confidence changes.",
    )
    data = reliability_points(
        {label: result.scaled if scaled else result.plain for label, result in results.items()}
    )
    left, right = st.columns(2, gap="medium")
    with left:
        chart(
            "Is it right as often as it says?",
            reliability_diagram(data, [comparison.colour(run_id) for run_id in ids]),
            data,
            "cmp_reliability",
            "Share of right answers against mean confidence, in 15 bins, for each network",
        )
    with right:
        st.markdown("##### How far off is its confidence?")
        st.dataframe(
            _figures(results),
            column_config=COLUMNS,
            hide_index=True,
            height="content",
            alt="Expected calibration error, loss and Brier score of each network",
        )
        st.caption(
            "On the dashed line, confidence equals accuracy; below it the network is "
            "overconfident. Larger marks stand for more images. After the arrow: with the "
            "temperature that fits the validation images best."
        )


def _figures(results: dict[str, Scaled]) -> pd.DataFrame:
    rows = [
        {
            "network": label,
            "ece": f"{100 * result.plain.ece:.2f} → {100 * result.scaled.ece:.2f} %",
            "nll": f"{result.plain.nll:.4f} → {result.scaled.nll:.4f}",
            "brier": f"{result.plain.brier:.4f} → {result.scaled.brier:.4f}",
            "temperature": result.temperature,
        }
        for label, result in results.items()
    ]
    return pd.DataFrame(rows)


COLUMNS = {
    "network": st.column_config.TextColumn("Network", pinned=True),
    "ece": st.column_config.TextColumn(
        "ECE",
        help="Expected calibration error: the difference between confidence and accuracy, on "
        "average over 15 bins.",
    ),
    "nll": st.column_config.TextColumn(
        "NLL", help="Negative log-likelihood: the mean of −log of the true class's probability."
    ),
    "brier": st.column_config.TextColumn(
        "Brier", help="Mean squared distance of the probabilities from the truth, from 0 to 2."
    ),
    "temperature": st.column_config.NumberColumn(
        "Temperature",
        help="Above 1: the network was overconfident. Below 1: underconfident.",
        format="%.2f",
    ),
}


def pairwise_tests(comparison: Comparison, run: Run, tested: dict[str, Predictions]) -> None:
    """McNemar's test of one network against each other one, in words."""
    rows, name = [], comparison.labels[run.id]
    for peer in tested:
        if peer == run.id:
            continue
        pair = mcnemar(tested[run.id].correct, tested[peer].correct)
        other = comparison.labels[peer]
        st.markdown(f"- {verdict(name, other, pair)}")
        rows.append({"network": name, "other": other, **asdict(pair)})
    st.caption(
        "McNemar's test counts only the images on which exactly one of the two is right: for "
        "equally good networks, each would be the toss of a coin. It compares two trained "
        "networks, one seed each; other seeds may give another result. Of twenty comparisons of "
        "equally good networks, one falls below 5 % by chance."
    )
    export(pd.DataFrame(rows), "cmp_mcnemar")


def verdict(name: str, other: str, pair: Paired) -> str:
    """The result of the test as a sentence."""
    if pair.only_a + pair.only_b == 0:
        return f"**{name}** and **{other}** are right on the same images."
    counts = f"on {pair.only_a:,} images only {name} is right, on {pair.only_b:,} only {other} is"
    luck = "less than once in 1,000 times"
    if pair.p_value >= 0.001:
        luck = f"in {100 * pair.p_value:.2g} % of all cases" if pair.p_value < 1 else "every time"
    if pair.p_value < LIKELY:
        better, worse = (name, other) if pair.only_a > pair.only_b else (other, name)
        outcome = f"**{better} is better** than {worse}"
    else:
        outcome = f"**No clear difference** between {name} and {other}"
    return f"{outcome}: {counts}. Coin tosses would split at least this unevenly {luck}."
