"""Before and after fine-tuning, side by side."""

from __future__ import annotations

import streamlit as st

from mnist_core.analysis.fine_tuned import Outcome, from_words, scores, sentences
from mnist_core.dataset_specs import dataset_spec
from mnist_core.formatting import plain
from mnist_core.runs.tuned import Change
from pages.components.playground import markup
from pages.components.playground.digits.accuracy import Row, table
from pages.components.playground.digits.reading import Drawn
from pages.components.shared.gallery import gallery

MOST_SHOWN = 60  # drawings


def show_outcome(found: Outcome, shown: Drawn, *, is_latest: bool) -> None:
    """The figures, and the drawings that it reads otherwise than before. `is_latest`: it is of
    the drawings that are shown now, and not of some of them."""
    words = from_words(found.run)
    st.markdown(f"**{plain(words[:1].upper() + words[1:])}**")
    if not is_latest:
        st.html(markup.note("These figures are from an earlier fine-tuning."))
    rows = [_row("These drawings, each left out", found.left_out)]
    if found.report.test:
        rows.append(_row(f"{found.run.config.dataset} test set", found.report.test))
    st.html(table(("before", "after"), rows, "gained, lost", "Images"))
    for words in sentences(found):
        st.markdown(plain(words))
    st.html(markup.note(_how(found)))
    _pictures(found, shown)
    _ways_on(found)


def _row(title: str, change: Change) -> Row:
    return Row(title, *scores(change), f"+{change.only_after:,} −{change.only_before:,}")


def _how(found: Outcome) -> str:
    """How before and after were compared."""
    return (
        f"The drawings were divided into {found.report.folds} parts. Each part was left out in "
        "turn, and read by a network that had learned the others only; so nothing here was learned "
        "by heart. The network that you can choose now has learned all of them. "
        f"All of it took {found.report.seconds:.0f} s."
    )


def _pictures(found: Outcome, shown: Drawn) -> None:
    """The drawings that turned right or wrong, as far as they are still there."""
    images = dict(zip(shown.hashes, shown.images, strict=True))
    learned, report = found.learned, found.report
    classes = dataset_spec(found.run.config.dataset).classes
    for right, head in ((True, "Turned right"), (False, "Turned wrong")):
        there = [place for place in found.turned(right) if learned.hashes[place] in images]
        changed = there[:MOST_SHOWN]
        if changed:
            st.markdown(f"**{head}**")
            said = [
                f"{classes[learned.labels[place]]}\n"
                + (
                    f"was {classes[report.before[place]]}"
                    if right
                    else f"now {classes[report.after[place]]}"
                )
                for place in changed
            ]
            gallery([images[learned.hashes[place]] for place in changed], said)


def _ways_on(found: Outcome) -> None:
    """To read with the new network, and to compare it with what it was."""
    run = found.run
    with st.container(horizontal=True, gap="small"):
        if st.button(
            "Read with it",
            icon=":material/draw:",
            key="play_teach_use",
            on_click=_choose,
            args=(run.config.dataset, run.id),
            help="Chooses the fine-tuned network above.",
        ):
            st.rerun()  # all of the page: this is a fragment of it
        if st.button(
            "Compare before and after →",
            icon=":material/stacked_line_chart:",
            key="play_teach_compare",
            help="Both networks on the Compare page.",
        ):
            both = {"cmp_runs": [run.id, run.config.parent.id]}
            st.switch_page("pages/compare.py", query_params=both)


def _choose(dataset: str, run_id: str) -> None:
    st.session_state[f"play_run_{dataset}"] = run_id
