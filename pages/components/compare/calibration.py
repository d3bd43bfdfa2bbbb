"""Compare: how far off is the confidence of the networks?"""

from collections.abc import Callable, Mapping

import pandas as pd
import streamlit as st

from mnist_core.analysis.evaluations import FEW, reliability_points
from mnist_core.charts.evaluations import reliability_diagram
from mnist_core.evaluation.calibration import Calibration, Scaled, with_temperature
from mnist_core.evaluation.predictions import logits_and_labels
from mnist_core.runs.run import PARTS, Run
from mnist_core.runs.store import RunStore
from pages.components.compare import files
from pages.components.compare.comparison import Comparison, chart
from pages.components.shared.cache import cached
from pages.components.shared.terms import see


@cached(lambda _store, run, version: (run.path, version), most=200)
def _calibration(store: RunStore, run: Run, version: tuple[int, int]) -> Scaled:
    return with_temperature(*(logits_and_labels(store, run, part) for part in PARTS))


def calibration_of(store: RunStore, run: Run) -> Scaled:
    """Cached until the file of logits changes. Raises LabError."""
    stat = run.logits_file.stat()
    return _calibration(store, run, (stat.st_mtime_ns, stat.st_size))


def calibrations(comparison: Comparison, runs: Mapping[str, Run]) -> None:
    """The reliability diagram beside the figures it comes down to; `runs` by their rows' ids."""
    results = {
        comparison.labels[run_id]: calibration_of(comparison.store, run)
        for run_id, run in runs.items()
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
    figures(comparison, dict(zip(runs, results.values(), strict=True)), scaled)
    files.offer("cmp_calibration", _for_file(results))
    chart(
        "Is it right as often as it says?",
        reliability_diagram(data, [comparison.slots[run_id] for run_id in runs]),
        data,
        "cmp_reliability",
        "Share of right answers against mean confidence, in 15 bins, for each network",
    )
    st.caption(
        "On the dashed line, confidence equals accuracy; below it the network is overconfident. "
        f"Whiskers are 95 % intervals. Hollow: fewer than {FEW} images, too few to tell."
    )


def figures(comparison: Comparison, results: Mapping[str, Scaled], scaled: bool) -> None:
    """Each figure of calibration with its explanation, and its value for every network."""
    places = st.columns(len(MEASURES))
    for place, (title, (help, words)) in zip(places, MEASURES.items(), strict=True):
        with place.container(gap="xsmall"):
            st.markdown(f"**{title}**", help=help)
            for run_id, result in results.items():
                value = words(result.scaled if scaled else result.plain, result.temperature)
                st.markdown(f"{comparison.badge(run_id)}: {value}")


# What each figure means, and how it is written.
MEASURES: dict[str, tuple[str, Callable[[Calibration, float], str]]] = {
    "Calibration error": (
        "ECE, expected calibration error: the difference between confidence and accuracy, on "
        f"average over 15 bins of confidence. 0 is perfect.{see('calibration')}",
        lambda found, _: f"{100 * found.ece:.2f} %",
    ),
    "Loss": (
        "NLL, negative log-likelihood: the mean of −log of the probability that the network gave "
        "the true class. 0 is perfect; confident mistakes cost most." + see("loss"),
        lambda found, _: f"{found.nll:.4f}",
    ),
    "Brier score": (
        "The mean squared distance of the probabilities from the truth, from 0 (perfect) to 2.",
        lambda found, _: f"{found.brier:.4f}",
    ),
    "Temperature": (
        "The number that fits the validation images best when the logits are divided by it. Above "
        "1: the network was overconfident. Below 1: underconfident.",
        lambda _, temperature: f"{temperature:.2f}",
    ),
}


def _for_file(results: Mapping[str, Scaled]) -> pd.DataFrame:
    names = ("ece", "nll", "brier")
    rows = [
        {
            "network": label,
            **{name: getattr(result.plain, name) for name in names},
            **{f"scaled_{name}": getattr(result.scaled, name) for name in names},
            "temperature": result.temperature,
        }
        for label, result in results.items()
    ]
    return pd.DataFrame(rows)
