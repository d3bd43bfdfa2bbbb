"""Challenges: what can be reached with few parameters or little time, and who has reached it."""

from urllib.parse import urlencode

import streamlit as st

from mnist_core.analysis.challenges import CHALLENGES, Challenge, ranking
from mnist_core.analysis.describe import describe, title_of
from mnist_core.analysis.url import query_of
from mnist_core.config import CUSTOM, RunConfig
from mnist_core.formatting import duration, markdown_table, percent, plain
from mnist_core.models import make_config
from mnist_core.runs.about import about
from mnist_core.runs.run import Run
from pages.components.shared.common import unbroken
from pages.components.train.controls import show

BUILD = "Opens the builder above with a small network to start from."
HEADS = ("", "Network", "Validation", "Test", "Parameters", "Training")


def challenges(runs: list[Run]) -> None:
    """The best runs of the store for each challenge, and a button to take part."""
    st.markdown(
        "On MNIST, with any network; one of your own, most likely. The validation accuracy "
        "decides. The test accuracy stands beside it and decides nothing."
    )
    if st.button("Build your own", icon=":material/build:", key="challenge_build", help=BUILD):
        config: RunConfig = st.session_state.train
        show(make_config(CUSTOM, seed=config.seed))
        st.rerun()
    for challenge in CHALLENGES:
        st.markdown(f"**{challenge.title}**")
        board = ranking(challenge, runs)
        if board:
            st.markdown("\n".join(markdown_table(HEADS, (_row(challenge, r) for r in board))))
        else:
            st.caption("Nobody has tried yet.")


def _row(challenge: Challenge, run: Run) -> list[str]:
    summary = run.summary
    name = about(run).label or f"{title_of(run)} · {describe(run.config)}"
    short = name if len(name) <= 90 else name[:89] + "…"
    link = f"[{plain(short)}](?{urlencode(query_of(run.config))})"
    return [
        "🏆" if challenge.met(run) else "",
        link.replace("|", "\\|"),
        unbroken(percent(summary.validation_accuracy)),
        unbroken(percent(summary.test_accuracy)),
        f"{summary.parameters or 0:,}",
        duration(summary.seconds or 0),
    ]
