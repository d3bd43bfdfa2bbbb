"""Playground: draw, and see what a network sees, what it answers, and what each layer does."""

from dataclasses import replace

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from mnist_core.dataset_specs import dataset_names, dataset_spec
from mnist_core.evaluation.ensemble import best_of_each, rank, vote
from mnist_core.formatting import percent, plain
from mnist_core.imaging import preprocess, tiles
from mnist_core.models import model_title
from mnist_core.runs.run import Run
from mnist_core.runs.states import RunState
from pages.components.playground import markup
from pages.components.playground.adversarial import adversarial
from pages.components.playground.answer import show_answer, show_votes
from pages.components.playground.handwriting import handwriting
from pages.components.playground.input import (
    DRAW,
    SOURCES,
    Input,
    clear_problem,
    follow_test_link,
    read_input,
)
from pages.components.playground.layers import layers
from pages.components.playground.move import move
from pages.components.playground.networks import networks
from pages.components.playground.unit import unit
from pages.components.playground.why import why
from pages.components.shared.common import all_runs, enter_through_app

SHOWN = 140  # side in pixels of a picture of what the network sees
AS_DRAWN = "Only shrinks the whole picture to 28×28, without centring, as most demos do."


def follow_link(runs: dict[str, Run]) -> None:
    """Chooses the run that the address bar names, unless it is shown already."""
    state, asked = st.session_state, st.query_params.get("play_run")
    if asked is None or asked == state.get("play_shown"):
        return
    if asked in runs:
        dataset = runs[asked].config.dataset
        state["play_data"], state[f"play_run_{dataset}"] = dataset, asked
        clear_problem()
    else:
        state["play_lost"] = (
            f"The link names the run {asked[:100]!r}, which does not exist here or has no "
            "weights. Another run is shown."
        )


def choose_run(runs: dict[str, Run]) -> Run:
    """A data set, then one of the networks trained on it. The address bar names the run."""
    follow_link(runs)
    datasets = [
        name for name in dataset_names() if any(r.config.dataset == name for r in runs.values())
    ]
    st.session_state.setdefault("play_data", datasets[0])
    dataset = st.segmented_control(
        "Trained on",
        datasets,
        key="play_data",
        required=True,
        persist_state="session",
        on_change=clear_problem,
        help="The images that the network learned from.",
    )
    own = {id: run for id, run in runs.items() if run.config.dataset == dataset}
    chosen: str = st.selectbox(
        "Network",
        list(own),
        format_func=lambda id: title(own[id], list(own.values())),
        key=f"play_run_{dataset}",
        persist_state="session",
        on_change=clear_problem,
        help="With its accuracy on validation images; the best finished run comes first.",
    )
    st.query_params["play_run"] = st.session_state["play_shown"] = chosen
    return runs[chosen]


def title(run: Run, others: list[Run]) -> str:
    """Such as "LeNet-5 · 98.9 %", with the end of its id where the network has several runs."""
    parts = [model_title(run.config.model), percent(run.summary.validation_accuracy, 1)]
    parts += [] if run.state == RunState.DONE else [run.state]
    several = sum(other.config.model == run.config.model for other in others) > 1
    return " · ".join(parts + [run.id[-10:]] * several)


def choose_source() -> str:
    st.session_state.setdefault("play_way", DRAW)
    source = st.segmented_control(
        "Your input",
        SOURCES,
        key="play_way",
        required=True,
        persist_state="session",
        on_change=forget_test,
        help="A drawing, a picture file, a photograph, or an image of the test set.",
    )
    return source or DRAW


def forget_test() -> None:
    """The address bar names a test image only while one is shown."""
    clear_problem()
    st.session_state["play_test_shown"] = None
    st.query_params.pop("play_test", None)


def answer(
    run: Run, voters: list[Run], one: Input, middle: DeltaGenerator, right: DeltaGenerator
) -> int | None:
    """The chosen network's answer, and beside it all others'. The label; None without network."""
    ids = [voter.id for voter in voters]
    able, reasons = networks(voters if run.id in ids else [*voters, run])
    votes = {each.run.id: each for each in vote(able, one.stages.final)}
    own = votes.get(run.id)
    with middle:
        if own:
            show_answer(one, own)
        else:
            st.error(reasons[run.id], icon=":material/error:")
        st.caption(dataset_spec(run.config.dataset).expects)
    counted = [votes[run_id] for run_id in ids if run_id in votes]
    if counted:
        with right:
            show_votes(counted, reasons, run, voters, None if run.id in ids else own)
    return own.label if own else None


def show_steps(stages: preprocess.Stages) -> None:
    """From ink to the image that the network reads, side by side."""
    st.subheader("What the network sees", anchor=False)
    with st.grid("auto", min_column_width=SHOWN, gap="small"):
        for step in stages.steps:
            st.image(
                tiles.png(tiles.squared(step.image, SHOWN)),
                caption=f"**{step.name}** {step.explanation}",
                width=SHOWN,
                alt=f"The drawing, {step.name}",
            )


def sections(run: Run, voters: list[Run], one: Input, label: int, own: Input) -> None:
    """What lies below the answer; only the open one is computed. `own` is always centred."""
    image = one.stages.final
    # The chosen run takes the place of its network's best.
    runs = [run, *(voter for voter in voters if voter.config.model != run.config.model)]
    names = {
        "Layers": lambda: layers(run, image),
        "One unit": lambda: unit(run, image),
        "Why": lambda: why(run, image, label),
        "Fool it": lambda: adversarial(run, image),
        "Move it": lambda: move(runs, image, run.config.dataset),
        "Your handwriting": lambda: handwriting(runs, own),
    }
    tabs = st.tabs(list(names), key="play_tab", on_change="rerun", bind="query-params")
    for tab, show in zip(tabs, names.values(), strict=True):
        if tab.open:
            with tab:
                show()


enter_through_app()
store, found = all_runs()
ready = {run.id: run for run in sorted(found, key=rank) if run.has_weights}
st.title("Playground", anchor=False)
st.html(markup.STYLE)
if not ready:
    st.info("No network has been trained yet.", icon=":material/school:")
    st.page_link("pages/train.py", label="Train one", icon=":material/tune:")
    st.stop()
follow_test_link()
with st.container(horizontal=True):
    run = choose_run(ready)
    source = choose_source()
told = st.container()
voters = best_of_each(ready.values(), run.config.dataset)

with st.container(horizontal=True, gap="small"):
    left = st.container(width=300)
    middle = st.container(width="stretch", key="play_answer")
    right = st.container(width="stretch", key="play_votes")
with left:
    own = read_input(source, run)
    skip = st.toggle("Skip centring", key="play_as_drawn", persist_state="session", help=AS_DRAWN)
one = replace(own, stages=preprocess.without_normalising(own.stages)) if skip else own
if st.session_state.get("play_lost"):
    told.warning(plain(st.session_state["play_lost"]), icon=":material/link_off:")
label = answer(run, voters, one, middle, right)
show_steps(one.stages)
if label is not None:
    sections(run, voters, one, label, own)
