"""The tab "Search": a search of good settings, as it runs, or one that ships. Loads no Optuna."""

from contextlib import suppress

import streamlit as st

from mnist_core.config import RunConfig
from mnist_core.errors import LabError
from mnist_core.formatting import percent, percent_spread, plain
from mnist_core.jobs import sweep_job
from mnist_core.limits import read_only
from mnist_core.runs.store import RunStore
from mnist_core.sweeps import home
from mnist_core.sweeps.table import (
    DONE,
    FAILED,
    PRUNED,
    RUNNING,
    StudyTable,
    read_table,
    seeds_in_words,
    table_names,
)
from pages.components.shared import common
from pages.components.shared.visitor import may_search
from pages.components.train.resting import rerun_at_rest
from pages.components.train.search_buttons import buttons
from pages.components.train.search_charts import charts
from pages.components.train.search_start import new_search

REFRESH = 1.5  # seconds between two looks at a search in progress
STUDY = "train_study"
WHY = (
    "Validation accuracy alone decides which setting is best, and the best of many is partly luck. "
    "So the winner is trained again with other seeds, and only then tested: a test set that is "
    "read for every trial would become a second validation set."
)


def search(store: RunStore, config: RunConfig) -> None:
    """The choice of a study, the form for a new one, and the study itself."""
    if not read_only():
        home.bring_home(store)
        if problem := home.why_not(store):
            st.warning(plain(problem), icon=":material/cloud_off:")
    names = list(dict.fromkeys([*table_names(store), *sweep_job.known_names(store)]))
    name = choose(names) if names else None
    new_search(store, config, names)
    if name is None:
        st.caption("A search tries settings by itself and learns which ones to try next.")
        return
    st.fragment(study, run_every=period(store, name))(name)


def period(store: RunStore, name: str) -> float | None:
    """Seconds between two looks: none at a search that is at rest."""
    if sweep_job.process_of(store, name):
        return REFRESH
    if not home.is_elsewhere() or read_only():
        return None
    with suppress(LabError):
        table = read_table(store, name)
        return home.PERIOD if table and not table.is_complete else None
    return None


def choose(names: list[str]) -> str:
    """The study that is shown. The address bar names it; one that has just begun comes first."""
    state = st.session_state
    wanted = state.pop("search_wanted", None)
    if wanted in names or state.get(STUDY) not in (None, *names):
        state[STUDY] = wanted if wanted in names else names[0]
    chosen = st.selectbox(
        "Search", names, key=STUDY, bind="query-params", label_visibility="collapsed", width=320
    )
    return str(chosen)


@common.show_errors
def study(name: str) -> None:
    """One study; looks again as long as it is in progress."""
    store = RunStore()
    live = sweep_job.process_of(store, name) is not None
    rerun_at_rest("train_searching", name, live)
    if not live and not read_only():
        home.bring_home(store)
    table = read_table(store, name)
    status(store, name, table, live)
    if table and table.rows:
        charts(table)


def status(store: RunStore, name: str, table: StudyTable | None, live: bool) -> None:
    """How far it is, what can be done with it, and its winner."""
    with st.container(horizontal=True, vertical_alignment="center", key="search_status"):
        st.markdown(common.unbroken(words(table, live)), width="stretch")
        if may_search():
            buttons(store, name, table, live)
    if live and table and table.wanted:
        done = table.count(DONE, PRUNED, FAILED)
        st.progress(min(done / table.wanted, 1.0))
    if not live and (problem := sweep_job.why_it_failed(store, name)):
        st.error(plain(problem), icon=":material/error:")
    if table and table.winner:
        st.caption(common.unbroken(winner_words(table)), help=WHY)


def words(table: StudyTable | None, live: bool) -> str:
    if table is None:
        return "Starting the search …" if live else "This search has no trials yet."
    ended, failed = table.count(PRUNED), table.count(FAILED)
    of = f" of {table.wanted:,}" if table.wanted else ""
    said = [f"**{table.count(DONE) + ended:,}{of} trials**"]
    said += [f"{ended:,} of them ended early"] if ended else []
    said += [f"{failed:,} failed"] if failed else []
    said += [f"{table.count(RUNNING):,} in training"] if live and table.count(RUNNING) else []
    if table.best:
        said.append(f"best **{percent(table.best.accuracy)}** validation")
    if live and table.is_complete:
        said.append("training the winner with other seeds …")
    elif not live and not table.is_complete:
        said.append("paused")
    return " · ".join(said)


def winner_words(table: StudyTable) -> str:
    winner = table.winner or {}
    said = f"The winner, trained again with {seeds_in_words(winner)}"
    if winner["test_accuracy"] is None:
        return f"{said}."
    spread = percent_spread(winner["test_accuracy"], winner["test_accuracy_deviation"])
    return f"{said}: **{spread}** test, {percent(winner['validation_accuracy'])} validation."
