"""The run at its snapshots, growing while it trains."""

import streamlit as st

from mnist_core.config import RunConfig
from mnist_core.runs.run import Run
from mnist_core.runs.states import LIVE
from mnist_core.runs.store import RunStore

REFRESH = 3.0  # seconds between two looks for new snapshots


def watch_it_learn(config: RunConfig, run: Run | None, runs: list[Run]) -> None:
    """Loads torch, which this page does without: only once the tab is open."""
    live = run is not None and run.state in LIVE
    st.fragment(_watch, run_every=REFRESH if live else None)(config, runs)


def _watch(config: RunConfig, runs: list[Run]) -> None:
    from pages.components.shared.watch import image_for
    from pages.components.shared.watch_choice import watch_part

    run = RunStore().find(config)
    if run and run.state in LIVE and not run.has_snapshots:
        st.caption("Snapshots of this run appear here after its first steps, if it keeps them.")
    watch_part(config, runs, image_for(config.dataset), "train")
