"""Train: set the controls, see a real run, or train it now in a process of its own."""

import streamlit as st

from mnist_core.config import RunConfig
from mnist_core.dataset_specs import dataset_spec
from mnist_core.formatting import duration, plain
from mnist_core.jobs import standby
from mnist_core.models import model_spec, model_title, recipe_of
from mnist_core.runs.run import Run
from mnist_core.runs.states import LIVE
from mnist_core.runs.store import RunStore
from mnist_core.training import cost
from pages.components.shared import common
from pages.components.train import controls
from pages.components.train.curves import curves
from pages.components.train.landscape import landscape_tab
from pages.components.train.samples import files_and_command, test_images, training_images
from pages.components.train.status import measuring, others, others_live, status

REFRESH = 1.0  # seconds between two looks at a run in progress
TABS = ("Map of settings", "Training images", "Test images", "Files and command")
# The rows around the curves keep their height, whatever they say: nothing below them jumps.
STILL = "<style>.st-key-train_status{min-height:74px}.st-key-train_remark{min-height:44px}</style>"


def facts(store: RunStore, config: RunConfig, recipe: str | None, runs: list[Run]) -> None:
    """One line on the network and the data."""
    figures = common.figures_of(config, runs)
    title = model_spec(config.model).recipe(recipe).title if recipe else controls.CUSTOM
    parts = [f"**{model_title(config.model)}**", title]
    if "parameters" in figures:
        parts.append(f"{figures['parameters']:,} parameters")
    if "receptive_field" in figures:
        parts.append(f"receptive field {figures['receptive_field']} pixels")
    known = cost.load(store, config)
    if known:
        parts.append(f"about {duration(known.epoch(config))} per epoch here")
    parts.append(f"{config.dataset}: {dataset_spec(config.dataset).about}")
    st.caption(" · ".join(parts))


def refreshed(store: RunStore, listed: list[list[Run]]) -> list[Run]:
    """The runs that the page has just listed, once; when a fragment runs again, listed anew."""
    return listed.pop() if listed else store.list()[0]


def run_of(config: RunConfig, runs: list[Run]) -> Run | None:
    return next((run for run in runs if run.id == config.id), None)


def rerun_at_rest(key: str, value: str, changing: bool) -> None:
    """Runs the whole page once more when what changed by itself has ended: it polls no longer."""
    if st.session_state.get(key) == value and not changing:
        st.session_state[key] = None
        st.rerun()
    st.session_state[key] = value if changing else None


@common.show_errors
def view(config: RunConfig, listed: list[list[Run]]) -> None:
    """Status and curves; looks again every second as long as this run is in progress."""
    store = RunStore()
    runs = refreshed(store, listed)
    run = run_of(config, runs)
    rerun_at_rest("train_changing", config.id, is_changing(store, config, run))
    status(store, config, run, runs)
    curves(config, run, runs, run.folder.progress() if run and run.state in LIVE else {})


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
    """Four tabs; only the open one is computed."""
    tabs = st.tabs(TABS, key="train_tab", on_change="rerun")
    contents = (
        lambda: landscape_tab(config, runs),
        lambda: training_images(config),
        lambda: test_images(store, run),
        lambda: files_and_command(config, run),
    )
    for tab, content in zip(tabs, contents, strict=True):
        if tab.open:
            with tab:
                content()


common.enter_through_app()
st.title("Train")
st.html(STILL)
config = controls.current_config()
for complaint in st.session_state.get("complaints", []):
    st.warning(plain(complaint), icon=":material/link_off:")
store, runs = common.all_runs()
recipe, run = recipe_of(config), run_of(config, runs)
controls.choices(config, recipe)
facts(store, config, recipe, runs)
controls.sliders(config)
changing = is_changing(store, config, run)
st.fragment(view, run_every=REFRESH if changing else None)(config, [runs])
below(store, config, run, runs)
polls = REFRESH if others_live(config, runs) else None
st.fragment(in_progress, run_every=polls)(config, [runs])
controls.write_address(config)  # last: the curves need not wait for it
if not changing and not (run and run.finished):  # a click may train it
    standby.prepare(store, config)
