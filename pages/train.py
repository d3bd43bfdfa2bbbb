"""Train: turn the knobs, see a real run, or train it now in a process of its own."""

from __future__ import annotations

import streamlit as st

from mnist_core.config import RunConfig
from mnist_core.dataset_specs import dataset_spec
from mnist_core.formatting import duration, plain
from mnist_core.models import model_spec, model_title, recipe_of
from mnist_core.runs.states import LIVE
from mnist_core.runs.store import Run, RunStore
from mnist_core.training import cost
from pages.components.shared import common
from pages.components.train.controls import OWN, choose, remember, settle_config, turn_knobs
from pages.components.train.curves import curves
from pages.components.train.landscape import terrain
from pages.components.train.samples import take_away, test_images, training_images
from pages.components.train.status import measuring, others, status

REFRESH = 1.0  # seconds between two looks at a run in progress
TABS = ("Landscape", "Training images", "Test images", "Take it away")
# The rows around the curves keep their height, whatever they say: nothing below them jumps.
STILL = "<style>.st-key-train_status{min-height:74px}.st-key-train_remark{min-height:44px}</style>"


def facts(store: RunStore, config: RunConfig, runs: list[Run]) -> None:
    """One line on the network and the data."""
    figures = common.figures_of(config.model, runs)
    recipe = recipe_of(config)
    title = model_spec(config.model).recipe(recipe).title if recipe else OWN
    parts = [f"**{model_title(config.model)}**", title]
    if figures:
        parts.append(f"{figures['parameters']:,} parameters")
        parts.append(f"receptive field {figures['receptive_field']} pixels")
    known = cost.recall(store, config)
    if known:
        parts.append(f"≈{duration(known.epoch(config.batch_size))} an epoch here")
    parts.append(f"{config.dataset}: {dataset_spec(config.dataset).about}")
    st.caption(" · ".join(parts))


def look(store: RunStore, listed: list[list[Run]]) -> list[Run]:
    """The runs as the page has just listed them, once; when a fragment runs again, anew."""
    return listed.pop() if listed else store.list()[0]


@common.in_a_sentence
def view(config: RunConfig, listed: list[list[Run]]) -> None:
    """Status and curves; looks again every second as long as this run is in progress."""
    store = RunStore()
    runs = look(store, listed)
    run = next((r for r in runs if r.id == config.id), None)
    restless = is_restless(store, config, run)
    if st.session_state.get("train_restless") == config.id and not restless:
        st.session_state.train_restless = None
        st.rerun()  # the whole page: it need not look again every second
    st.session_state.train_restless = config.id if restless else None
    status(store, config, run, runs)
    curves(config, run, runs, run.folder.progress() if run and run.state in LIVE else {})


def is_restless(store: RunStore, config: RunConfig, run: Run | None) -> bool:
    """Whether what is shown changes by itself."""
    return run.state in LIVE if run else measuring(store, config)


@common.in_a_sentence
def in_progress(config: RunConfig, listed: list[list[Run]]) -> None:
    """The other runs in progress; looks again every second as long as there are any."""
    store = RunStore()
    runs = look(store, listed)
    live = any(run.state in LIVE and run.id != config.id for run in runs)
    if st.session_state.get("train_others_live") and not live:
        st.session_state.train_others_live = False
        st.rerun()
    st.session_state.train_others_live = live
    others(store, config, runs)


@common.in_a_sentence
def below(store: RunStore, config: RunConfig, run: Run | None, runs: list[Run]) -> None:
    """Four tabs, of which only the open one is worked out."""
    tabs = st.tabs(TABS, key="train_tab", on_change="rerun")
    contents = (
        lambda: terrain(config, runs),
        lambda: training_images(config),
        lambda: test_images(store, run),
        lambda: take_away(config, run),
    )
    for tab, content in zip(tabs, contents, strict=True):
        if tab.open:
            with tab:
                content()


common.enter_through_app()
st.title("Train")
st.html(STILL)
settle_config()
for complaint in st.session_state.get("complaints", []):
    st.warning(plain(complaint), icon=":material/link_off:")
store, runs = common.all_runs()
choose(st.session_state.train)
facts(store, st.session_state.train, runs)
turn_knobs(st.session_state.train)
config = st.session_state.train
remember(config)
run = next((run for run in runs if run.id == config.id), None)
restless = is_restless(store, config, run)
st.fragment(view, run_every=REFRESH if restless else None)(config, [runs])
below(store, config, run, runs)
live = any(other.state in LIVE and other.id != config.id for other in runs)
st.fragment(in_progress, run_every=REFRESH if live else None)(config, [runs])
