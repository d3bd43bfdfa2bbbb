"""Compare: the settings in which the chosen rows differ."""

import pandas as pd
import streamlit as st

from mnist_core.analysis.describe import differing_settings
from pages.components.compare import files
from pages.components.compare.comparison import Comparison


def settings(comparison: Comparison) -> None:
    """The configs side by side: only what differs."""
    runs = comparison.compared
    found = differing_settings([run.config for run in runs])
    if len(runs) < 2:
        st.info("Add a second network to see which of their settings differ.")
        return
    if not found:
        st.info("These runs differ only in their seeds.")
        return
    names = [comparison.labels[run.id] for run in runs]
    rows = pd.DataFrame(found.values(), columns=names)
    rows.insert(0, "Setting", list(found))
    files.offer("cmp_settings", rows)
    st.dataframe(
        rows,
        hide_index=True,
        column_config={"Setting": st.column_config.TextColumn()},
        placeholder="–",
        height="content",
        alt="The settings in which the compared runs differ",
    )
    shared = len(runs[0].config.names()) - len(found)
    st.caption(
        f"The other {shared} settings are the same. A dash: the run's optimiser, schedule or "
        "input size does not use the setting."
    )
