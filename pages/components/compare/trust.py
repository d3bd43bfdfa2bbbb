"""Compare: can the confidence be believed, and is one network really better than another?"""

from __future__ import annotations

from dataclasses import asdict

import pandas as pd
import streamlit as st

from mnist_core.charts.compare import reliability_diagram, reliability_points
from mnist_core.errors import LabError
from mnist_core.evaluation.calibration import Calibration, calibration, fit_temperature
from mnist_core.evaluation.predictions import Predictions
from mnist_core.evaluation.statistics import Paired, mcnemar
from mnist_core.runs.run import Run
from mnist_core.runs.store import RunStore
from pages.components.compare.predictions import read_all, same_data
from pages.components.compare.scene import Scene, chart, export, pick

LIKELY = 0.05  # a p-value below it is called more than luck


def trust_tab(scene: Scene) -> None:
    """Calibration of each network, then every other network against one."""
    found = read_all(scene)
    runs = [run for run in scene.compared if run.id in found]
    if not runs:
        st.info("None of the ticked runs keeps its answers to the test images.")
        return
    calibrations(scene, runs)
    st.markdown("##### Is one better than the other?")
    run = pick(scene, runs, "cmp_against_run", "The network that the others are held against.")
    peers = [peer for peer in same_data(scene, found, run.config.dataset) if peer.id != run.id]
    if peers:
        duels(scene, run, peers, found)
    else:
        st.info("Tick a second network of the same data set to compare the two.")


@st.cache_data(show_spinner=False, max_entries=200)
def _calibrated(
    _store: RunStore, _run: Run, path: str, seen: tuple[int, int]
) -> tuple[Calibration, Calibration, float]:
    """As it is, with its temperature set right, and that temperature; `seen` tells contents."""
    logits, labels = _run.logits(), _store.labels(_run)
    if any(len(logits[part]) != len(labels[part]) for part in logits):
        raise LabError(f"{_run.id} keeps logits of other images than the labels are of.")
    temperature = fit_temperature(logits["validation"], labels["validation"])
    test = logits["test"], labels["test"]
    return calibration(*test), calibration(*test, temperature), temperature


def calibrated(store: RunStore, run: Run) -> tuple[Calibration, Calibration, float]:
    file = run.path / "logits.safetensors"
    stat = file.stat()
    return _calibrated(store, run, str(file), (stat.st_mtime_ns, stat.st_size))


def calibrations(scene: Scene, runs: list[Run]) -> None:
    """The reliability diagram beside the figures it comes down to."""
    results = {run.id: calibrated(scene.store, run) for run in runs}
    scaled = st.toggle(
        "With temperature scaling",
        key="cmp_scaled",
        bind="query-params",
        help="Divide the logits by one number, fitted on the validation images: the answers stay, "
        "their confidence changes.",
    )
    networks = [(scene.labels[run.id], results[run.id][scaled]) for run in runs]
    data = reliability_points(networks)
    left, right = st.columns(2, gap="medium")
    with left:
        chart(
            "Right as often as it says?",
            reliability_diagram(data, [scene.colour(run.id) for run in runs]),
            data,
            "cmp_reliability",
            "Share of right answers against mean confidence, in 15 bins, for each network",
        )
    with right:
        st.markdown("##### What it comes down to")
        table = _figures(scene, runs, results)
        st.dataframe(
            table,
            column_config=COLUMNS,
            hide_index=True,
            height="content",
            alt="Expected calibration error, loss and Brier score of each network",
        )
        st.caption(
            "On the dashed line, confidence can be taken at its word; below it the network is too "
            "sure of itself. Larger marks stand for more answers: most lie near 100 %, where "
            "mistakes are costly. After the arrow: with the temperature that fits the validation "
            "images best."
        )


def _figures(scene: Scene, runs: list[Run], results: dict) -> pd.DataFrame:
    rows = []
    for run in runs:
        plain, scaled, temperature = results[run.id]
        row = {"network": scene.labels[run.id], "temperature": temperature}
        row["ece"] = f"{100 * plain.ece:.2f} → {100 * scaled.ece:.2f} %"
        row["nll"] = f"{plain.nll:.4f} → {scaled.nll:.4f}"
        row["brier"] = f"{plain.brier:.4f} → {scaled.brier:.4f}"
        rows.append(row)
    return pd.DataFrame(rows)


COLUMNS = {
    "network": st.column_config.TextColumn("Network", pinned=True),
    "ece": st.column_config.TextColumn(
        "ECE",
        help="Expected calibration error: how far confidence and share of right answers lie apart, "
        "on average over 15 bins.",
    ),
    "nll": st.column_config.TextColumn(
        "NLL", help="Mean of −log of the probability that the true class got, in nats."
    ),
    "brier": st.column_config.TextColumn(
        "Brier", help="Mean squared distance of the probabilities from the truth; 0 to 2."
    ),
    "temperature": st.column_config.NumberColumn(
        "Temperature",
        help="Above 1 the network was too sure of itself, below 1 not sure enough.",
        format="%.2f",
    ),
}


def duels(scene: Scene, run: Run, peers: list[Run], found: dict[str, Predictions]) -> None:
    """McNemar's test of one network against each other one, in words."""
    rows, name = [], scene.labels[run.id]
    for peer in peers:
        pair = mcnemar(found[run.id].correct, found[peer.id].correct)
        other = scene.labels[peer.id]
        st.markdown(f"- {verdict(name, other, pair)}")
        rows.append({"network": name, "other": other, **asdict(pair)})
    st.caption(
        "McNemar's test: only images on which the two disagree can tell them apart, so each is "
        "taken as a coin's toss. It compares two trained networks, one seed each: another seed "
        "of either may turn out otherwise. Of twenty such comparisons of equals, one falls below "
        "5 % by luck."
    )
    export(pd.DataFrame(rows), "cmp_mcnemar")


def verdict(name: str, other: str, pair: Paired) -> str:
    """The test's outcome in words that a student understands."""
    if pair.only_a + pair.only_b == 0:
        return f"**{name}** and **{other}** are right on the same images."
    counts = f"on {pair.only_a:,} images only {name} is right, on {pair.only_b:,} only {other} is"
    luck = "less than once in 1,000 times"
    if pair.p_value >= 0.001:
        luck = f"in {100 * pair.p_value:.2g} % of all cases" if pair.p_value < 1 else "always"
    if pair.p_value < LIKELY:
        better, worse = (name, other) if pair.only_a > pair.only_b else (other, name)
        outcome = f"**{better} is better** than {worse}"
    else:
        outcome = f"**No difference** between {name} and {other} can be told"
    return f"{outcome}: {counts}. Fair coins would split so unevenly {luck}."
