"""The data set and the network of the Playground, and the link that names them."""

import streamlit as st

from mnist_core.analysis.describe import recipe_words, title_of
from mnist_core.dataset_specs import dataset_names, dataset_title
from mnist_core.formatting import percent
from mnist_core.models import network_title, recipe_of
from mnist_core.runs.run import Run
from mnist_core.runs.states import RunState
from pages.components.playground.input import clear_problem

FIRST = "lenet5"  # the network that the page opens with, by our best recipe


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


def choose_dataset(runs: dict[str, Run]) -> str:
    """The images that the network learned from."""
    datasets = [
        name for name in dataset_names() if any(r.config.dataset == name for r in runs.values())
    ]
    st.session_state.setdefault("play_data", datasets[0])
    return st.selectbox(
        "Trained on",
        datasets,
        format_func=dataset_title,
        key="play_data",
        persist_state="session",
        on_change=clear_problem,
        label_visibility="collapsed",
        help="The images that the network learned from.",
        width=130,
    )


def choose_run(runs: dict[str, Run], dataset: str) -> Run:
    """One of the networks trained on this data set. The address bar names the run."""
    own = {id: run for id, run in runs.items() if run.config.dataset == dataset}
    key = f"play_run_{dataset}"
    st.session_state.setdefault(key, opening_run(list(own.values())).id)
    titles = titles_of(list(own.values()))
    chosen: str = st.selectbox(
        "Network",
        list(own),
        format_func=titles.__getitem__,
        key=key,
        persist_state="session",
        on_change=clear_problem,
        label_visibility="collapsed",
        help="With its accuracy on validation images; the best finished run comes first, "
        "fine-tuned runs last.",
    )
    st.query_params["play_run"] = st.session_state["play_shown"] = chosen
    return runs[chosen]


def opening_run(runs: list[Run]) -> Run:
    """The run that is shown first: the best of FIRST by our best recipe, or the best there is.

    `runs`: the best first.
    """
    own = [run for run in runs if run.config.model == FIRST and run.state == RunState.DONE]
    best = [run for run in own if recipe_of(run.config) == "improved"]
    return (best or own or runs)[0]


def titles_of(runs: list[Run]) -> dict[str, str]:
    """By id, such as "LeNet-5 (our best) · 99.5 %"; with the seed, or the end of the id, where
    others have the same name."""
    found = {run.id: _title(run) for run in runs}
    for more in (lambda run: f" · seed {run.config.seed}", lambda run: f" · {run.id[-10:]}"):
        names = [name for name, _ in found.values()]
        found = {
            run.id: (name + more(run) * (names.count(name) > 1), rest)
            for run in runs
            for name, rest in (found[run.id],)
        }
    return {id: name + rest for id, (name, rest) in found.items()}


def _title(run: Run) -> tuple[str, str]:
    """The name, and what is said after it."""
    words, tuned = recipe_words(run.config.parent), run.config.tuned
    if tuned:
        words = f"{words}, {tuned.in_words()}"
    state = "" if run.state == RunState.DONE else f" · {run.state}"
    rest = f" · {percent(run.summary.validation_accuracy, 1)}{state}"
    return f"{network_title(run.config) if tuned else title_of(run)} ({words})", rest
