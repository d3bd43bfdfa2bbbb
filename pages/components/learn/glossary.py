"""The glossary: each term with a sentence, a picture made by the lab, and where to see it."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from mnist_core.analysis.experiment import Link
from mnist_core.runs.run import Run
from pages.components.learn.experiment import go_on
from pages.components.learn.illustrations import ILLUSTRATIONS
from pages.components.shared.common import show_errors
from pages.components.shared.gallery import gallery
from pages.components.shared.terms import Term, terms

STYLE = """<style>.st-key-learn_glossary [data-testid=stHeading]{margin-bottom:-.6rem}
[class*=st-key-learn_term] {max-width:760px}</style>"""


def glossary(runs: Sequence[Run]) -> None:
    """All terms, or the one that the address names, and those that have the words in them."""
    asked = st.query_params.pop("term", None)
    if asked in terms():
        st.session_state["learn_words"] = terms()[asked].name
    words = st.text_input(
        "Find a term",
        key="learn_words",
        placeholder="such as stride",
        max_chars=40,
        help="Looks in the terms and in their explanations.",
    )
    found = [term for term in terms().values() if _has(term, words.lower())]
    found.sort(key=lambda term: term.name.lower() != words.lower())
    st.html(STYLE)
    with st.container(key="learn_glossary"):
        for term in found:
            _shown(term, runs)
    if not found:
        st.caption("No term matches.")


def _has(term: Term, words: str) -> bool:
    """Whether the words, in lower case, are in its name or its explanation."""
    return words in f"{term.name} {term.words}".lower()


@show_errors
def _picture(term: Term, runs: Sequence[Run]) -> None:
    """A sentence in its place where the runs lack what it is made of."""
    gallery([ILLUSTRATIONS[term.picture](runs)], [""])


def _shown(term: Term, runs: Sequence[Run]) -> None:
    with st.container(key=f"learn_term_{term.slug}", horizontal=True, vertical_alignment="center"):
        with st.container(width=76):
            _picture(term, runs)
        with st.container(width="stretch"):
            st.markdown(f"**{term.name}** · {term.words}")
            words, place = term.see
            page, _, query = place.partition("?")
            go_on(Link(words, page, query), f"learn_see_{term.slug}")
