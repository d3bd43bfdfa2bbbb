"""A new search on the page: its space, its budget, how long it takes here, and its start."""

from collections.abc import Sequence
from dataclasses import dataclass

import streamlit as st

from mnist_core.config import RunConfig
from mnist_core.errors import LabError
from mnist_core.formatting import counted, duration, plain
from mnist_core.jobs import sweep_job
from mnist_core.jobs.actions import SEARCHES
from mnist_core.runs.store import RunStore
from mnist_core.sweeps.asking import command_line, estimated_seconds, options_of, space_around
from mnist_core.sweeps.plan import PRUNERS, SAMPLERS, Plan, check_name
from mnist_core.sweeps.space import Space
from mnist_core.sweeps.table import table_names
from pages.components.shared.common import attempt
from pages.components.shared.visitor import actions, may_change, may_search
from pages.components.train.search_space import choose_dimensions
from pages.components.train.start import measuring

TRIALS = (5, 10, 20, 50, 100, 200, 300, 500, 1000, 2000)
FORM = "search_form"
SAMPLER_HELP = (
    "How the next setting is chosen: tpe, cmaes and gp learn from the trials so far, random does "
    "not. cmaes needs the package cmaes, gp the package scipy."
)
PRUNER_HELP = (
    "Ends a trial early that is worse than earlier ones were after as many epochs: percentile if "
    "90 % of them were better, median if half of them were."
)


def new_search(store: RunStore, config: RunConfig, names: Sequence[str]) -> None:
    """The form, where this visitor may start anything; open while there are no studies.

    `names` are those of the studies.
    """
    if not may_search():
        if may_change():
            st.caption(SEARCHES)
        return
    if st.session_state.pop("search_close", False):  # a search has begun: it comes to the top
        st.session_state[FORM] = False
    st.session_state.setdefault(FORM, not names)
    form = st.expander("New search", icon=":material/tune:", key=FORM, on_change="rerun")
    if not form.open:
        return
    with form:
        dimensions = choose_dimensions(config)
        budget = ask_budget(store, config)
        try:
            space = space_around(config, dimensions)
            Plan(space, budget.sampler, budget.pruner).check_packages()
        except LabError as error:
            st.warning(plain(f"{error}."), icon=":material/tune:")
            return
        start(store, space, budget)


@dataclass(frozen=True)
class Budget:
    name: str
    trials: int
    sampler: str
    pruner: str

    def options(self) -> list[str]:
        """Of the command `sweep`."""
        given = {"name": self.name, "trials": self.trials}
        given |= {"sampler": self.sampler, "pruner": self.pruner}
        return [part for name, value in given.items() for part in (f"--{name}", str(value))]


def ask_budget(store: RunStore, config: RunConfig) -> Budget:
    """How many trials are made, and how they are chosen and ended."""
    trials = st.select_slider(
        "Trials",
        TRIALS,
        value=50,
        key="search_trials",
        persist_state="session",
        help="How many settings are tried. Each is trained for as many epochs as the controls say.",
    )
    with st.container(horizontal=True, gap="small"):
        name = st.text_input(
            "Name",
            value=free_name(store, config),
            key=f"search_name_{free_name(store, config)}",
            max_chars=61,
            help="The search is saved under it. Letters, digits, dots, hyphens and underscores.",
        )
        sampler = st.selectbox(
            "Sampler",
            [each for each in SAMPLERS if each != "grid"],
            key="search_sampler",
            persist_state="session",
            help=SAMPLER_HELP,
        )
        pruner = st.selectbox(
            "Pruner",
            [each for each in PRUNERS if each != "wilcoxon"],
            key="search_pruner",
            persist_state="session",
            help=PRUNER_HELP,
        )
    return Budget(name or "", trials, sampler, pruner)


def free_name(store: RunStore, config: RunConfig) -> str:
    """A name that no study here has."""
    taken = {*table_names(store), *sweep_job.known_names(store)}
    stem, number = f"{config.dataset}-{config.model}".lower(), 1
    while f"{stem}-{number}" in taken:
        number += 1
    return f"{stem}-{number}"


def start(store: RunStore, space: Space, budget: Budget) -> None:
    """The estimated time, the button, and the same as a command."""
    example, trials = space.example(), budget.trials
    arguments = [*budget.options(), *options_of(space)]
    with st.container(horizontal=True, vertical_alignment="center"):
        if st.button("Start", key="search_start", icon=":material/play_arrow:", type="primary"):
            attempt(lambda: begin(store, budget.name, arguments, example))
        st.caption(estimate(store, space, example, trials), width="stretch")
    # Not highlighted: the colours would be too pale to read on light ground.
    st.code(command_line(arguments), language=None, wrap_lines=True)


def estimate(store: RunStore, space: Space, example: RunConfig, trials: int) -> str:
    epochs = counted(example.epochs, "epoch")
    seconds = estimated_seconds(store, space, trials)
    if seconds is None:
        told = "measuring how fast this machine is …" if measuring(store, example) else "unknown"
        return f"{counted(trials, 'trial')} of {epochs}; training time: {told}"
    return (
        f"{counted(trials, 'trial')} of {epochs}: about {duration(seconds)} on this machine, "
        "with one trial on each core; less if the pruner ends trials early."
    )


def begin(store: RunStore, name: str, arguments: list[str], example: RunConfig) -> None:
    check_name(name)
    if sweep_job.is_known(store, name) or name in table_names(store):
        raise LabError(f"name: there is a study {name} already; choose another name.")
    actions(store).search(name, arguments, example)
    st.session_state.search_wanted = name
    st.session_state.search_close = True
