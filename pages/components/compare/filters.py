"""The top of Compare: data set, recipe and, in a popover, further filters."""

from collections.abc import Mapping

import pandas as pd
import streamlit as st

from mnist_core.analysis.table import select
from mnist_core.dataset_specs import dataset_names, dataset_title
from mnist_core.formatting import counted
from mnist_core.models import model_title
from mnist_core.models.zoo import rate_pair
from mnist_core.runs.bundle import BundledRun
from mnist_core.runs.run import Run
from mnist_core.runs.states import RunState
from pages.components.compare.choice import asked_for, new_in_address
from pages.components.compare.organise import archived_filter
from pages.components.shared import common

BEST, PUBLISHED, FRONTIER, EVERY = "our best", "as published", "frontier", "all"
KINDS = {BEST: "improved", PUBLISHED: "reference", FRONTIER: "frontier"}
ANY_SIZE = "any size"
SIZES = ("5,000", "10,000", "50,000", "100,000", "1,000,000", ANY_SIZE)


def follow_link(runs: Mapping[str, Run], kinds: Mapping[str, str]) -> None:
    """Sets data set and recipe so that the runs of a link that was just followed are shown."""
    asked = [runs[run_id] for run_id in new_in_address() if run_id in runs]
    state, query = st.session_state, st.query_params
    linked = query.get("cmp_dataset")
    if "cmp_dataset" not in state and linked in dataset_names():  # by its name in commands
        state["cmp_dataset"] = linked
    if not asked:
        return
    if "cmp_dataset" not in query:
        state["cmp_dataset"] = asked[0].config.dataset
    needed = {kinds[run.id] for run in asked if run.id in kinds}
    if "cmp_recipe" not in query and needed:
        fitting = [name for name, kind in KINDS.items() if needed == {kind}]
        state["cmp_recipe"] = fitting[0] if fitting else EVERY


def dataset_and_recipe(table: pd.DataFrame) -> tuple[str, str]:
    """The two switches."""
    datasets = [name for name in dataset_names() if name in set(table["dataset"])]
    dataset = st.segmented_control(
        "Data set",
        datasets,
        format_func=dataset_title,
        default=datasets[0],
        required=True,
        key="cmp_dataset",
        bind="query-params",
        label_visibility="collapsed",
        help="Which images the networks learned.",
    )
    st.markdown("Recipe", width="content", help=RECIPES)
    recipe = st.segmented_control(
        "Recipe",
        [BEST, PUBLISHED, FRONTIER, EVERY],
        default=BEST,
        required=True,
        key="cmp_recipe",
        bind="query-params",
        label_visibility="collapsed",
    )
    return dataset or datasets[0], recipe or BEST


RECIPES = (
    "How the networks were trained. **Our best**: the settings that worked best here. **As "
    "published**: those of the network's source. **Frontier**: for each number of parameters the "
    "most accurate network that was found, beside what others published. **All**: these, others, "
    "and several of each."
)


def of_recipe(table: pd.DataFrame, recipe: str) -> pd.DataFrame:
    """The runs of a data set that this recipe shows; the visitor's own are always shown.

    So are quick runs, which are in the table only where they are wanted. All runs where nobody has
    used the recipe.
    """
    if recipe == EVERY:
        return table
    found = table["kind"] == KINDS[recipe]
    return table[found | table["yours"] | table["bundled"]] if found.any() else table


def more_filters(table: pd.DataFrame, quick: int, archived: int) -> pd.DataFrame:
    """The popover; returns the runs of `table` that pass.

    `quick` and `archived`: how many quick and archived runs there are.
    """
    chosen = sum(bool(st.session_state.get(key)) for key in ("cmp_model", "cmp_text", "cmp_state"))
    chosen += st.session_state.get("cmp_size", ANY_SIZE) != ANY_SIZE
    with st.popover(f"Filters ({chosen})" if chosen else "Filters", icon=":material/tune:"):
        models = sorted(table["model"].unique(), key=model_title)
        wanted = st.multiselect(
            "Networks",
            models,
            format_func=model_title,
            placeholder="All networks",
            key="cmp_model",
            bind="query-params",
            help="Only these networks; none chosen means all.",
        )
        size = st.select_slider(
            "Parameters, at most",
            SIZES,
            value=ANY_SIZE,
            key="cmp_size",
            bind="query-params",
            help="Only networks of at most this many parameters.",
        )
        words = st.text_input(
            "Search",
            placeholder="e.g. tutorial seed 2",
            icon=":material/search:",
            key="cmp_text",
            bind="query-params",
            help="Runs that contain all these words: recipe, optimiser, activation, seed, id …",
        )
        states = _state(table)
        st.toggle(
            "Average repeated runs",
            value=True,
            key="cmp_fold",
            bind="query-params",
            help="Runs that differ only in their seed are one point: mean ± standard deviation.",
        )
        archived_filter(archived)
        if quick:
            st.toggle(
                f"Include quick runs ({counted(quick, 'run')})",
                key="cmp_quick",
                bind="query-params",
                help="Runs of the Train page's map and of searches: curves and figures only. "
                "A search does not test its trials, so they are not in the chart.",
            )
    rows = select(table, None, wanted, words or "")
    if size != ANY_SIZE:
        rows = rows[rows["parameters"] <= int(size.replace(",", ""))]
    if states:
        rows = rows[rows["state"].isin(states)]
    return rows.reset_index(drop=True)


def _state(table: pd.DataFrame) -> list[str]:
    """The chosen states; asked for only where there is a choice."""
    states = [state.value for state in RunState if state in set(table["state"])]
    if len(states) < 2:
        return []
    return st.pills(
        "State",
        states,
        selection_mode="multi",
        format_func=lambda name: common.STATES[RunState(name)].split(": ", 1)[-1],
        wrap=True,
        key="cmp_state",
        bind="query-params",
        help="Only runs in these states; none chosen means all.",
    )


def without_quick_runs(runs: list[Run]) -> tuple[list[Run], int]:
    """Leaves out the many quick runs that ship, unless they are wanted or one is asked for.

    Also returns how many there are.
    """
    quick = {config.id for config in rate_pair()} & {run.id for run in runs}
    quick |= {run.id for run in runs if isinstance(run, BundledRun)}
    wanted = st.query_params.get("cmp_quick") == "true" or st.session_state.get("cmp_quick")
    asked = quick if wanted else set(asked_for())
    return [run for run in runs if run.id not in quick or run.id in asked], len(quick)
