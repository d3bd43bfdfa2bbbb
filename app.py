"""The lab's dashboard. Start it with: streamlit run app.py"""

import streamlit as st

# The names of the pages come first: a visitor who comes before this line sees file names.
PAGES = [
    st.Page(
        "pages/learn.py",
        title="Learn",
        icon="",
        help="Six experiments of five minutes, and a glossary.",
    ),
    st.Page(
        "pages/train.py",
        title="Train",
        icon="",
        default=True,
        help="Change the settings of a training run and see what they do.",
    ),
    st.Page(
        "pages/compare.py",
        title="Compare",
        icon="",
        help="Compare runs by accuracy, parameters and receptive field.",
    ),
    st.Page(
        "pages/playground.py",
        title="Playground",
        icon="",
        help="Draw a digit and see what each layer makes of it.",
    ),
]
page = st.navigation(PAGES, position="top")
st.set_page_config(page_title=f"{page.title} · MNIST lab", page_icon="🔢", layout="wide")

from mnist_core.charts.style import live_theme_rules  # noqa: E402
from mnist_core.runs.store import RunStore  # noqa: E402
from pages.components.shared.common import LOGO, show_errors  # noqa: E402
from pages.components.shared.deleted import page_is_left, sweep_hourly  # noqa: E402
from pages.components.shared.memory import settle  # noqa: E402
from pages.components.shared.visitor import remember_visitor, signing_in  # noqa: E402

settle()
st.logo(LOGO, size="large")
# A page's own icon would also be fetched from a server of fonts, for the browser's tab.
ICONS = {"/learn": "school", "/": "tune", "/compare": "stacked_line_chart", "/playground": "draw"}
LINKS = "[data-testid=stTopNavLink],[data-testid=stSidebarNavLink]"
st.html(
    f"<style>:is({LINKS})::before{{font:1.25rem/1 'Material Symbols Rounded';opacity:.6;"
    "font-feature-settings:'liga';white-space:nowrap}"
    + "".join(
        f":is({LINKS})[href$='{path}']::before{{content:'{icon}' / ''}}"
        for path, icon in ICONS.items()
    )
    + "</style>"
)
# There is no option for the margins at the sides, which take an eighth of a small screen; for the
# text on a primary button, which is white: too pale on the light colour of the dark theme; for
# links in captions, which are too pale; and for the ground of names in a chart, which is that of
# the page: a line may run through them.
st.html(
    "<style>.stMainBlockContainer{padding-inline:clamp(1rem,2vw,3rem)}"
    "[data-testid=stCaptionContainer] a{color:inherit!important;opacity:1!important}"
    "[data-testid=stBaseButton-primary]{color:light-dark(#fff,#101922)!important}"
    ".js-plotly-plot .annotation-text{paint-order:stroke;stroke:light-dark(#fff,#171614);"
    f"stroke-width:4px;stroke-linejoin:round}}{live_theme_rules()}</style>"
)
# On a phone Streamlit folds the menu behind an arrow: there the pages stand in a row of their own.
st.html(
    "<style>@media (min-width:768px){[data-testid=stLayoutWrapper]:has(>.st-key-phone_pages)"
    "{display:none}}.st-key-phone_pages{justify-content:space-between}</style>"
)
with st.container(horizontal=True, gap=None, key="phone_pages"):
    for each in PAGES:
        st.page_link(each, width="content")
if page.title != "Compare":
    page_is_left(RunStore())
remember_visitor()
signing_in()
sweep_hourly(str(RunStore().root))
show_errors(page.run)()
