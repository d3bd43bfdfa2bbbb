"""Compare: all runs in one table, charts of accuracy and cost, and the details behind them."""

import pandas as pd
import streamlit as st

from mnist_core.analysis.aggregate import averaged_over_seeds, single_runs
from mnist_core.analysis.pareto import for_file, points
from mnist_core.analysis.table import best_groups, known_figures, labels_of, published, runs_table
from mnist_core.charts.pareto import AXES, accuracy_against
from mnist_core.formatting import percent_range, percent_spread
from pages.components.compare.choice import choose, marked
from pages.components.compare.comparison import Comparison, export, legend, plot
from pages.components.compare.curves import curves_tab, settings_tab
from pages.components.compare.inside import inside_tab
from pages.components.compare.mistakes import mistakes_tab
from pages.components.compare.robustness import robust_tab
from pages.components.compare.table import filters, show_table
from pages.components.compare.trust import trust_tab
from pages.components.shared import common

TABS = {"Curves": curves_tab, "Mistakes": mistakes_tab, "Trust": trust_tab}
TABS |= {"Inside": inside_tab, "Robustness": robust_tab, "Settings": settings_tab}
ALONE = (mistakes_tab, trust_tab, inside_tab)  # a click in them runs them only, not the page
AGAINST = {
    "cmp_left": {"parameters": "Parameters", "macs": "MACs"},
    "cmp_right": {"receptive_field": "Receptive field", "latency_ms": "Latency"},
}


def main() -> None:
    st.title("Compare", anchor=False)
    store, runs = common.all_runs()
    if not runs:
        st.info(
            "No runs yet. Train a network on the Train page, and it appears here.",
            icon=":material/tune:",
        )
        return
    table = runs_table(store, runs)
    found = filters(table)
    if found.empty:
        st.info("No run matches. Clear the search or choose another data set or network.")
        return
    rows = averaged_over_seeds(found) if st.session_state["cmp_fold"] else single_runs(found)
    st.markdown(takeaway(found, len(rows)))
    chosen = choose(rows, set(table["id"]))
    labels = labels_of(rows[rows["id"].isin(chosen)])
    by_id = {run.id: run for run in runs}
    comparison = Comparison(store, by_id, rows, chosen, labels, marked(chosen))
    legend(comparison)
    tradeoffs(table, comparison)
    show_table(rows)
    details(comparison)


def takeaway(found: pd.DataFrame, rows: int) -> str:
    """One line: how many runs, and the best of each data set with its uncertainty."""
    best = []
    for row, seeds in best_groups(found):
        accuracy = percent_spread(seeds.mean, seeds.deviation)
        count = f"{seeds.count} seeds"
        if seeds.deviation is None:
            count = f"95 %: {percent_range(row['test_low'], row['test_high'])}; 1 seed"
        best.append(f"**{row['dataset']}** {row['title']} {accuracy} ({count})")
    count = "1 run" if len(found) == 1 else f"{len(found):,} runs"
    count += f" in {rows:,} rows" if 1 < rows < len(found) else ""
    unfinished = int(found["test_accuracy"].isna().sum())
    count += f", {unfinished:,} of them without a test accuracy" if unfinished else ""
    if not best:
        return f"{count}."
    return f"{count}. Best on the validation images, with test accuracy: {' · '.join(best)}"


def tradeoffs(table: pd.DataFrame, comparison: Comparison) -> None:
    """Accuracy against parameters, and against what else a network costs or sees."""
    if comparison.rows["test_accuracy"].isna().all():
        st.info("None of these runs is finished. Their test accuracy appears here when they are.")
        return
    wanted = st.session_state["cmp_model"]
    figures = {k: v for k, v in known_figures(table).items() if not wanted or k in wanted}
    references = published(comparison.rows["dataset"].unique(), figures)
    for place, (key, names) in zip(st.columns(2), AGAINST.items(), strict=True):
        with place:
            tradeoff(key, names, comparison, references)
    with st.expander("How to read these charts", icon=":material/help:"):
        st.markdown(READING)


def tradeoff(
    key: str, names: dict[str, str], comparison: Comparison, references: pd.DataFrame
) -> None:
    """One chart of accuracy; what it is drawn against is chosen above it."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        column = st.segmented_control(
            "Accuracy against",
            list(names),
            format_func=lambda name: names[name],
            default=next(iter(names)),
            required=True,
            key=key,
            bind="query-params",
            help="What the horizontal axis shows.",
        )
        data = points(column, comparison.rows, references)
        export(for_file(data, column), f"cmp_{column}")
    figure = accuracy_against(column, data, comparison.chosen, comparison.marked)
    alt = f"Test accuracy against {AXES[column].title.lower()}, a point for each finished row"
    plot(figure, f"cmp_{column}", alt, clickable=True)


READING = """
- **Filled**: runs of this lab at their best validation epoch. Click one to mark it in every chart.
- **Whiskers**: 95 % intervals. For one seed, Wilson's interval over the test images; for several
  seeds, Student's interval of their mean, which is wide for two or three seeds.
- **Hollow**: published figures, which have no interval; the tooltip says how each was chosen.
- **Dotted line**: the Pareto front. No network shown is both further left and more accurate.
- The accuracy axis is stretched towards 100 %; a triangle pointing down is a run below 50 %.
"""


def details(comparison: Comparison) -> None:
    """Tabs about the ticked rows; only the open one is computed."""
    if not comparison.chosen:
        st.info("Tick runs in the table to compare them.")
        return
    tabs = st.tabs(list(TABS), key="cmp_tab", bind="query-params")
    for tab, part in zip(tabs, TABS.values(), strict=True):
        if tab.open:
            with tab:
                show = common.show_errors(part)
                (st.fragment(show) if part in ALONE else show)(comparison)


common.enter_through_app()
main()
