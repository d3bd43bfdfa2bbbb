"""What the pages share: words and small pieces of layout."""

import functools
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import streamlit as st
from streamlit.runtime.pages_manager import PagesManager

from mnist_core.config import RunConfig
from mnist_core.data.idx import how_to_get, missing_files
from mnist_core.errors import LabError
from mnist_core.formatting import plain, sentence
from mnist_core.jobs import spawn
from mnist_core.models.stats import stats_for
from mnist_core.paths import data_root
from mnist_core.runs.run import Run
from mnist_core.runs.states import RunState
from mnist_core.runs.store import RunStore
from pages.components.shared.cache import cached, same
from pages.components.shared.hidden import out_of_layout

# The lab's name, in a colour that reads on light and on dark ground.
LOGO = (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 132 32" width="132" height="32">'
    '<g fill="#0d9488" font-family="Source Sans, Source Sans Pro, sans-serif" font-size="20" '
    'font-weight="700"><path d="M10 7l9 9-9 9-9-9z"/><text x="26" y="23">MNIST lab</text></g></svg>'
)
# Words for a run's state, with an icon.
STATES = {
    RunState.QUEUED: ":material/schedule: waiting in the queue",
    RunState.RUNNING: ":material/directions_run: training",
    RunState.PAUSED: ":material/pause_circle: paused",
    RunState.INTERRUPTED: ":material/power_off: interrupted",
    RunState.STOPPED: ":material/stop_circle: stopped",
    RunState.DIVERGED: ":material/trending_up: diverged",
    RunState.DONE: ":material/check_circle: done",
}


def page_title(title: str) -> None:
    """A heading for screen readers; for all others the bar at the top says where they are."""
    hidden = "position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%)"
    out_of_layout("page_title", f'<h1 style="{hidden}">{title}</h1>')


def unbroken(text: str) -> str:
    """Text in which no line begins with a per cent sign or a plus-minus."""
    return text.replace(" %", "\N{NO-BREAK SPACE}%").replace(" ±", "\N{NO-BREAK SPACE}±")


def images_here(dataset: str) -> bool:
    """Whether a data set's images are on this machine; says how to get them when they are not."""
    if not missing_files(dataset, data_root()):
        return True
    words = f"{dataset}'s images are not on this machine. {how_to_get(dataset, data_root())}"
    st.info(words, icon=":material/image_not_supported:")
    return False


def enter_through_app() -> None:
    """Starts again with app.py when Streamlit began with the page's own file.

    Because of the folder pages/, a fresh server takes the lab for an app of the older kind,
    without app.py, until st.navigation has run once: for a first visitor who comes by a link.
    """
    if PagesManager.uses_pages_directory:
        PagesManager.uses_pages_directory = False
        st.rerun()


def show_errors(part: Callable[..., None]) -> Callable[..., None]:
    """Wraps a page or a part of one: its error is shown as a sentence, and the rest stays."""

    @functools.wraps(part)
    def guarded(*arguments: Any) -> None:
        try:
            part(*arguments)
        except (LabError, OSError) as error:  # OSError: a file that cannot be read or written
            st.error(plain(sentence(error)), icon=":material/error:")

    return guarded


def attempt(act: Callable[[], object]) -> None:
    """Does what a click asks for, and runs the page again; or says in place why it cannot be."""
    try:
        act()
    except (LabError, OSError) as error:
        st.error(plain(sentence(error)), icon=":material/error:")
    else:
        st.rerun()


PROBLEM = "problem_of_a_callback"


def error_shown_later(act: Callable[[], None]) -> Callable[[], None]:
    """A callback whose error is shown as a sentence where the page calls `show_kept_error`."""

    def guarded() -> None:
        try:
            act()
        except (LabError, OSError) as error:
            st.session_state[PROBLEM] = sentence(error)

    return guarded


def show_kept_error() -> None:
    """Says once what went wrong in a callback."""
    problem = st.session_state.pop(PROBLEM, None)
    if problem:
        st.error(plain(problem), icon=":material/error:")


@cached(same, spinner="Analysing the networks …")
def model_figures() -> dict[str, dict[str, Any]]:
    """Parameters, MACs and receptive field of every network, by name.

    Computed once, in a process of its own: this one stays light, without torch.
    """
    return {row["name"]: row for row in spawn.ask("models")}


def figures_of(config: RunConfig, runs: list[Run]) -> Mapping[str, Any]:
    """A network's figures: those kept beside it, else from a run like this, else measured."""
    kept, kind = stats_for(config), (config.model, config.dataset)
    if "parameters" in kept:
        return kept
    alike = (r for r in runs if (r.config.model, r.config.dataset) == kind and r.summary.parameters)
    run = next(alike, None)
    if run is None:
        return kept or model_figures().get(config.model, {})
    names = ("parameters", "macs", "receptive_field")
    return {name: getattr(run.summary, name) for name in names}


def all_runs() -> tuple[RunStore, list[Run]]:
    """The store and its runs; says in a line what of it could not be read."""
    store = RunStore()
    runs, damaged = store.list()
    for folder in damaged:
        st.warning(plain(folder.reason), icon=":material/folder_off:")
    return store, runs


def follow_link_to_first_tab(key: str, names: Iterable[str]) -> None:
    """Opens the first tab where the address asks for it.

    A tab that the address binds is left as it was by a link to the first one, which is its default
    and so is never in the address otherwise.
    """
    first = next(iter(names))
    if st.query_params.get(key) == first:
        del st.query_params[key]
        st.session_state[key] = first
