"""The lab's dashboard. Start it with: streamlit run app.py"""

import streamlit as st

# The names of the pages come first: a visitor who comes before this line sees file names.
page = st.navigation(
    [
        st.Page(
            "pages/train.py",
            title="Train",
            icon=":material/tune:",
            default=True,
            help="Change the settings of a training run and see what they do.",
        ),
        st.Page(
            "pages/compare.py",
            title="Compare",
            icon=":material/stacked_line_chart:",
            help="Compare runs by accuracy, parameters and receptive field.",
        ),
        st.Page(
            "pages/playground.py",
            title="Playground",
            icon=":material/draw:",
            help="Draw a digit and see what each layer makes of it.",
        ),
    ],
    position="top",
)
st.set_page_config(page_title=f"{page.title} · MNIST lab", page_icon="🔢", layout="wide")

from pages.components.shared.common import LOGO, show_errors  # noqa: E402

st.logo(LOGO, size="large")
# There is no option for the margins at the sides, which take an eighth of a small screen.
st.html("<style>.stMainBlockContainer{padding-inline:clamp(1rem,2vw,3rem)}</style>")
show_errors(page.run)()
