"""Compare: which network is better, at what cost, and whether the difference is real."""

import pandas as pd
import streamlit as st

from mnist_core.analysis.aggregate import averaged_over_seeds, single_runs
from mnist_core.analysis.headline import RepeatedRuns, headline
from mnist_core.analysis.table import labels_of, runs_table
from mnist_core.formatting import plain
from mnist_core.models import network_of
from mnist_core.runs.run import Run
from mnist_core.runs.store import RunStore
from pages.components.compare import files, sentence
from pages.components.compare.bar import comparing, names_in_chart, names_of
from pages.components.compare.better import better_tab
from pages.components.compare.choice import choose, slots_of
from pages.components.compare.comparison import Comparison
from pages.components.compare.curves import curves_tab
from pages.components.compare.filters import (
    dataset_and_recipe,
    follow_link,
    more_filters,
    of_recipe,
    without_quick_runs,
)
from pages.components.compare.inside import inside_tab
from pages.components.compare.mistakes import mistakes_tab
from pages.components.compare.organise import without_archived
from pages.components.compare.robustness import robust_tab
from pages.components.compare.table import table_tab
from pages.components.compare.tradeoff import tradeoff
from pages.components.compare.yours import mark_yours
from pages.components.shared import common, deleted

TABS = {"Which is better?": better_tab, "Mistakes": mistakes_tab, "Inside": inside_tab}
TABS |= {"Robustness": robust_tab, "Curves": curves_tab, "All runs": table_tab}
ALONE = (mistakes_tab, inside_tab)  # a click in them runs them only, not the page


def main() -> None:
    common.page_title("Compare")
    files.begin()
    store, found = common.all_runs()
    deleted.offer_undo(store)
    every, archived = without_archived(found)
    if not every:
        st.info(
            "No runs yet. Train a network on the Train page, and it appears here.",
            icon=":material/tune:",
        )
        return
    runs, quick = without_quick_runs(every)
    table = mark_yours(runs_table(store, runs or every), runs or every)
    by_id = {run.id: run for run in runs or every}
    follow_link(by_id, dict(zip(table["id"], table["kind"], strict=True)))
    with st.container(horizontal=True, vertical_alignment="center"):
        dataset, recipe = dataset_and_recipe(table)
        here = table[table["dataset"] == dataset]
        shown = more_filters(of_recipe(here, recipe), quick, archived)
        menu = st.container(width="content")
    if shown.empty:
        nothing_found(dataset, recipe)
        return
    compare(store, by_id, here, shown, recipe)
    with menu:
        files.menu()


def nothing_found(dataset: str, recipe: str) -> None:
    st.info(
        f"No run on {dataset} with the recipe “{recipe}” passes the filters. "
        "Choose another recipe, or clear the filters."
    )


def compare(
    store: RunStore, by_id: dict[str, Run], here: pd.DataFrame, found: pd.DataFrame, recipe: str
) -> None:
    """The sentence, the chart, the tabs and the bar, of the runs `found` among those `here`."""
    rows = averaged_over_seeds(found) if st.session_state["cmp_fold"] else single_runs(found)
    chosen = choose(rows, {run_id: network_of(run.config) for run_id, run in by_id.items()})
    names = names_of(rows, labels_of(rows))
    labels = names_of(rows, labels_of(rows[rows["id"].isin(chosen)]))
    labels = {run_id: labels[run_id] for run_id in chosen}
    repeated = RepeatedRuns(here)
    comparison = Comparison(store, by_id, rows, chosen, labels, slots_of(chosen), repeated)
    said = headline(rows, repeated)
    if said:
        help = plain(sentence.how_it_is_known(said, repeated.noise(said.row) is not None))
        st.header(common.unbroken(sentence.in_words(said)), anchor=False, help=help)
        tradeoff(comparison, names_in_chart(rows, names), recipe)
    else:
        st.info("None of these runs is finished. Their test accuracy appears here when they are.")
    comparing(comparison, names)  # before the tabs, which take longer: a click shows at once
    details(comparison)


def details(comparison: Comparison) -> None:
    """Tabs about the compared rows; only the open one is computed."""
    common.follow_link_to_first_tab("cmp_tab", TABS)
    tabs = st.tabs(list(TABS), key="cmp_tab", bind="query-params")
    for tab, part in zip(tabs, TABS.values(), strict=True):
        if not tab.open:
            continue
        with tab:
            if comparison.chosen or part is table_tab:
                show = common.show_errors(part)
                (st.fragment(show) if part in ALONE else show)(comparison)
            else:
                st.info("Click a point in the chart, or choose “+ add” below, to compare networks.")


common.enter_through_app()
main()
