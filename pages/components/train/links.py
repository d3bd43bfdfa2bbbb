"""Where the shown run goes on: to the Playground, and to Compare."""

import streamlit as st

from mnist_core.config import RunConfig
from mnist_core.runs.run import Run
from mnist_core.runs.store import RunStore
from pages.components.shared.common import attempt
from pages.components.shared.visitor import actions, may_change
from pages.components.train.status import can_be_copied

DRAW = "Opens the Playground, where this network reads what you draw."
COMPARE = "Opens Compare with this run beside the networks that ship."


def links(store: RunStore, config: RunConfig, run: Run | None) -> None:
    """Draw for the run, or train a copy that can be drawn for; and compare it."""
    if run is None or not run.finished:
        return
    with st.container(horizontal=True, key="train_links"):
        if run.has_weights:
            go("Draw for it →", "draw", "playground", {"play_run": run.id}, DRAW)
        elif (
            may_change()
            and can_be_copied(run)
            and st.button(
                "Train a copy I can draw for",
                key="train_copy",
                icon=":material/play_arrow:",
                help="This run ships without its weights. A copy that is trained here has them.",
            )
        ):
            attempt(lambda: actions(store).start(config))
        go("Compare it →", "stacked_line_chart", "compare", {"cmp_runs": run.id}, COMPARE)


def go(label: str, icon: str, page: str, query: dict[str, str], help: str) -> None:
    """A button that opens another page with the run."""
    if st.button(label, icon=f":material/{icon}:", key=f"train_to_{page}", help=help):
        st.switch_page(f"pages/{page}.py", query_params=query)
