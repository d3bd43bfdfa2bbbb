"""The bar at the bottom of Compare: what is compared, which is also the key of every chart."""

import pandas as pd
import streamlit as st

from mnist_core.charts.pareto import CHOSEN_LIMIT
from pages.components.compare.choice import toggle
from pages.components.compare.comparison import KEY_COLOURS, Comparison

YOURS = " (yours)"
LONGEST = 28  # characters of a name in the chart

STYLE = (
    f"<style>{KEY_COLOURS}"
    + """
.st-key-cmp_bar button {white-space: nowrap}
[data-testid=stBottomBlockContainer] {padding: 0.5rem clamp(1rem, 2vw, 3rem) 0.75rem;
border-top: 1px solid rgba(128, 128, 128, 0.3)}
@media (max-width: 640px) {.st-key-cmp_bar [data-testid=stElementContainer]:has(strong) {
display: none}}
</style>"""
)


def comparing(comparison: Comparison, names: dict[str, str]) -> None:
    """A button for each compared row, which takes it out, and a list of those to add.

    `names`: of all shown rows, by id.
    """
    with st.bottom, st.container(key="cmp_bar", horizontal=True, vertical_alignment="center"):
        st.html(STYLE)
        st.markdown("**Comparing**", width="content")
        for run_id in comparison.chosen:
            st.button(
                f"{comparison.badge(run_id)} ×",
                key=f"cmp_chip_{run_id}",
                help=f"Take {comparison.labels[run_id]} out of the comparison",
                on_click=toggle,
                args=(run_id,),
            )
        _add(comparison, names)


def _add(comparison: Comparison, names: dict[str, str]) -> None:
    others = [run_id for run_id in names if run_id not in comparison.chosen]
    if not others or len(comparison.chosen) >= CHOSEN_LIMIT:
        return
    st.selectbox(
        "Add a network",
        others,
        index=None,
        format_func=lambda run_id: names[run_id],
        placeholder="+ add",
        key="cmp_add",
        on_change=_added,
        label_visibility="collapsed",
        width=130,
    )


def _added() -> None:
    run_id = st.session_state["cmp_add"]
    st.session_state["cmp_add"] = None
    if run_id:
        toggle(run_id)


def names_in_chart(rows: pd.DataFrame, names: dict[str, str]) -> dict[str, str]:
    """Shorter names for points: of a network with several rows, its best one has its name.

    The others stand below or above it, and are named by what is different.
    """
    first = set(rows.drop_duplicates("network")["id"])
    titles = dict(zip(rows["id"], rows["title"], strict=True))
    short = {}
    for run_id, name in names.items():
        yours = YOURS if name.endswith(YOURS) else ""
        own = name.removesuffix(YOURS).removeprefix(titles[run_id]).removeprefix(" · ")
        short[run_id] = (titles[run_id] if run_id in first else _shorter(own, len(yours))) + yours
    return short


def _shorter(name: str, room: int) -> str:
    """A recipe and what differs from it, without the recipe where both are too long.

    `room`: characters that follow.
    """
    most = LONGEST - room
    if len(name) > most:
        name = name.split(", ", 1)[-1]
    return name if len(name) <= most else name[: most - 1] + "…"


def names_of(rows: pd.DataFrame, labels: dict[str, str]) -> dict[str, str]:
    """The labels of the rows; those of the visitor's own runs say so."""
    yours = set(rows.loc[rows["yours"], "id"])
    return {k: name + YOURS if k in yours else name for k, name in labels.items()}
