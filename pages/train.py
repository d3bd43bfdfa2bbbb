"""Train: set the controls, see a real run, or train it now in a process of its own."""

import streamlit as st

from mnist_core.analysis.diagnosis import diagnose
from mnist_core.config import RunConfig
from mnist_core.errors import LabError
from mnist_core.formatting import plain
from mnist_core.jobs import standby
from mnist_core.runs.run import Run
from mnist_core.runs.states import LIVE
from mnist_core.runs.store import RunStore
from pages.components.shared import common
from pages.components.shared.visitor import administration, may_change
from pages.components.train import controls, moving
from pages.components.train.build import build
from pages.components.train.challenges import challenges
from pages.components.train.curves import Curves, curves, curves_of
from pages.components.train.files import files_and_command
from pages.components.train.kernels import first_kernels
from pages.components.train.landscape import landscape_map
from pages.components.train.layout import places
from pages.components.train.learning import watch_it_learn
from pages.components.train.links import links
from pages.components.train.mistakes import its_mistakes
from pages.components.train.queue import others, others_live
from pages.components.train.resting import rerun_at_rest
from pages.components.train.samples import training_images
from pages.components.train.search import search
from pages.components.train.start import measuring
from pages.components.train.status import result

REFRESH = 1.0  # seconds between two looks at a run in progress
TABS: tuple[str, ...] = ("Its mistakes", "First kernels", "Watch it learn")
TABS += ("Training images", "Search", "Challenges", "Files and command")


def refreshed(store: RunStore, listed: list[list[Run]]) -> list[Run]:
    """The runs that the page has just listed, once; when a fragment runs again, listed anew."""
    return listed.pop() if listed else store.list()[0]


def run_of(config: RunConfig, runs: list[Run]) -> Run | None:
    return next((run for run in runs if run.id == config.id), None)


@common.show_errors
def view(config: RunConfig, listed: list[list[Run]]) -> None:
    """Result and curves; looks again every second as long as this run is in progress."""
    store = RunStore()
    runs = refreshed(store, listed)
    run = run_of(config, runs)
    rerun_at_rest("train_changing", config.id, is_changing(store, config, run))
    try:
        found = diagnose(run) if run else None
        shown = curves_of(config, run, runs)
    except LabError as error:  # damaged curves: all that does not need them stays
        result(store, config, run, runs, None, Curves())
        raise error
    result(store, config, run, runs, found, shown)
    curves(run, shown)


def is_changing(store: RunStore, config: RunConfig, run: Run | None) -> bool:
    """Whether what is shown changes by itself."""
    return run.state in LIVE if run else measuring(store, config)


@common.show_errors
def in_progress(config: RunConfig, listed: list[list[Run]]) -> None:
    """The other runs in progress; looks again every second as long as there are any."""
    store = RunStore()
    runs = refreshed(store, listed)
    rerun_at_rest("train_others_live", "live", bool(others_live(config, runs)))
    others(store, config, runs)


@common.show_errors
def below(store: RunStore, config: RunConfig, run: Run | None, runs: list[Run]) -> None:
    """Seven tabs; only the open one is computed. The address bar names it."""
    tabs = st.tabs(TABS, key="train_tab", on_change="rerun", bind="query-params")
    contents = (
        lambda: its_mistakes(store, run, runs),
        lambda: first_kernels(run),
        lambda: watch_it_learn(config, run, runs),
        lambda: training_images(config),
        lambda: search(store, config),
        lambda: challenges(runs),
        lambda: files_and_command(config, run),
    )
    for tab, content in zip(tabs, contents, strict=True):
        if tab.open:
            with tab:
                content()


common.enter_through_app()
common.page_title("Train")
config = controls.current_config()
for complaint in st.session_state.get("complaints", []):
    st.warning(plain(complaint), icon=":material/link_off:")
store, runs = common.all_runs()
run = run_of(config, runs)
place = places()
with place.controls:
    controls.controls(config, runs)
with place.result:
    changing = is_changing(store, config, run)
    every = REFRESH if changing else None
    st.fragment(view, run_every=every)(config, [runs])
with place.rest:
    every = REFRESH if others_live(config, runs) else None
    st.fragment(in_progress, run_every=every)(config, [runs])
    common.show_errors(build)(store, config)
    common.show_errors(landscape_map)(store, config, runs)
    links(store, config, run)
    below(store, config, run, runs)
controls.write_address(config)  # last: the curves need not wait for it
if may_change() and not changing and not (run and run.finished):  # a click may train it
    standby.prepare(store, config)
with place.controls:
    common.show_errors(moving.follow)(store, config)
    administration()
