"""Learn: experiments of five minutes, each a prediction and what real runs say; and a glossary."""

from pathlib import Path

import streamlit as st

from mnist_core.analysis.experiment import Experiment, read_experiments
from mnist_core.formatting import plain
from pages.components.learn.experiment import experiment
from pages.components.learn.glossary import glossary
from pages.components.learn.progress import finished, keep, progress
from pages.components.shared import common

FOLDER = Path(__file__).parent / "experiments"
WIDTH = 900  # pixels, so that lines of text are not too long
EXPERIMENTS, GLOSSARY = TABS = ("Experiments", "Glossary")


def choose(every: list[Experiment]) -> Experiment:
    """The experiments as a row of buttons, the finished ones with a check mark.

    The address bar names the one that is shown.
    """
    done = finished([each.name for each in every])
    titles = {each.name: each.title for each in every}
    marks = {name: "✓ " if name in done else "" for name in titles}
    state, asked = st.session_state, st.query_params.get("learn")
    if asked in titles and asked != state.get("learn_shown"):
        state["learn"] = asked
    state.setdefault("learn", every[0].name)
    chosen = st.pills(
        "Experiment",
        list(titles),
        required=True,
        key="learn",
        format_func=lambda name: f"{marks[name]}{list(titles).index(name) + 1}. {titles[name]}",
        persist_state="session",
        label_visibility="collapsed",
        help="Each takes about five minutes.",
    )
    assert chosen  # it is required
    st.query_params["learn"] = state["learn_shown"] = chosen
    return next(each for each in every if each.name == chosen)


@common.show_errors
def main() -> None:
    store, runs = common.all_runs()
    every, mistakes = read_experiments(FOLDER)
    for mistake in mistakes:
        st.warning(plain(mistake), icon=":material/edit_note:")
    names = [each.name for each in every]
    if "learn_tab" not in st.query_params:
        st.session_state.setdefault("learn_tab", EXPERIMENTS)
    tab = st.segmented_control(
        "Part",
        TABS,
        required=True,
        key="learn_tab",
        bind="query-params",
        label_visibility="collapsed",
        help="Six experiments, or the terms of the field.",
    )
    if tab == GLOSSARY:
        glossary(runs)
        return
    bar = st.container()
    chosen = choose(every)
    with st.container(width=WIDTH):
        experiment(chosen, store, runs)
    with bar:
        progress(names)
    keep(names)


common.enter_through_app()
common.page_title("Learn")
main()
