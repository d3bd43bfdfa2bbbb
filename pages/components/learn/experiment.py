"""One experiment: a question, a prediction, the live part, what real runs say, and why."""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import parse_qsl

import streamlit as st

from mnist_core.analysis.checks import Outcome, Store, carry_out
from mnist_core.analysis.experiment import Experiment, Link
from mnist_core.analysis.named_runs import figures_in_words
from mnist_core.formatting import markdown_table
from mnist_core.runs.run import Run
from mnist_core.runs.store import RunStore
from pages.components.learn import live
from pages.components.learn.progress import finish
from pages.components.shared.cache import cached
from pages.components.shared.common import show_errors, unbroken
from pages.components.shared.terms import with_terms

ICONS = {"train": "tune", "compare": "stacked_line_chart", "playground": "draw"}


def experiment(one: Experiment, store: RunStore, runs: Sequence[Run]) -> None:
    """The live part comes with the prediction, and the answer after the check."""
    words = figures_in_words(store, runs, one.figures)
    st.header(one.title, anchor=False)
    st.markdown(_text(one.sections["Question"], words))
    guess = st.pills(
        "Your prediction",
        one.choices,
        key=f"learn_guess_{one.name}",
        on_change=_forget_check,
        args=(one.name,),
        help="Choose what you expect, before you try it.",
        persist_state="session",
    )
    if guess is None:
        st.caption("Choose an answer to start the experiment.")
        return
    st.subheader("Try it", anchor=False)
    st.markdown(_text(one.sections["Try it"], words))
    st.fragment(show_errors(live.show))(one.name, one.live, store, runs)
    st.button(
        "Check against real runs",
        key=f"learn_check_{one.name}",
        type="primary",
        icon=":material/fact_check:",
        help="Says whether the trained runs agree with your prediction, and why.",
        on_click=_check,
        args=(one.name,),
    )
    if st.session_state.get(f"learn_checked_{one.name}"):
        _answer(one, one.choices.index(guess), store, runs, words)


def _check(name: str) -> None:
    st.session_state[f"learn_checked_{name}"] = True
    finish(name)


def _forget_check(name: str) -> None:
    st.session_state.pop(f"learn_checked_{name}", None)


def _answer(
    one: Experiment, guess: int, store: RunStore, runs: Sequence[Run], words: dict[str, str]
) -> None:
    _shown_outcome(one, guess, store, runs)
    st.subheader("Why", anchor=False)
    st.markdown(_text(one.sections["Why"], words))
    st.subheader("Go on from here", anchor=False)
    for place, link in enumerate(one.links):
        go_on(link, f"learn_go_{one.name}_{place}")


@show_errors
def _shown_outcome(one: Experiment, guess: int, store: RunStore, runs: Sequence[Run]) -> None:
    """What the runs say; a sentence where they are missing."""
    outcome = _outcome(one, store, runs)
    if guess == outcome.right:
        st.success(f"**As you predicted.** {outcome.words}", icon=":material/check_circle:")
    else:
        right = one.choices[outcome.right]
        st.info(f"**The runs say: {right}.** {outcome.words}", icon=":material/lightbulb:")
    st.markdown("\n".join(markdown_table(outcome.heads, outcome.rows)))


@cached(lambda one, store, runs: (one.name, store.root, tuple(run.id for run in runs)), most=30)
def _outcome(one: Experiment, store: RunStore, runs: Sequence[Run]) -> Outcome:
    with st.spinner("Asking the runs …"):
        return carry_out(Store(store, runs), one)


def go_on(link: Link, key: str) -> None:
    """A button that opens another page in the state that the link names, or a part of this one."""
    query = dict(parse_qsl(link.query))
    icon = f":material/{ICONS.get(link.page, 'school')}:"
    if link.page == "learn":
        st.button(link.words, key=key, icon=icon, type="tertiary", on_click=_open, args=(query,))
    elif st.button(link.words, key=key, icon=icon, type="tertiary"):
        st.switch_page(f"pages/{link.page}.py", query_params=query)


def _open(query: dict[str, str]) -> None:
    st.session_state["learn_tab"] = query.get("learn_tab", "Experiments")
    if "learn" in query:
        st.session_state["learn"] = query["learn"]


def _text(text: str, figures: dict[str, str]) -> str:
    for name, words in figures.items():
        text = text.replace(f"{{{name}}}", words)
    return unbroken(with_terms(text))
