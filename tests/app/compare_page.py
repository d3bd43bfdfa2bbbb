"""What tests of Compare share: opening it, and looks at what is on it."""

import json
from functools import partial

from mnist_core.charts.style import marker
from tests.app import opening
from tests.app.opening import settle

open_page = partial(opening.open_page, "compare")


def charts(page):
    return [json.loads(chart.proto.spec) for chart in page.get("plotly_chart")]


def points(page):
    """The ids of the runs in the chart of accuracy, in its order."""
    (trace,) = [trace for trace in charts(page)[0]["data"] if "customdata" in trace]
    return trace["customdata"]


def chips(page):
    """The bar's buttons, by the id of their row."""
    buttons = [button for button in page.button if (button.key or "").startswith("cmp_chip_")]
    return {button.key.removeprefix("cmp_chip_"): button for button in buttons}


def chosen(page):
    """The compared rows."""
    return list(chips(page))


def names(page):
    """How the bar names them: without symbol and cross."""
    signs = "".join(marker(number)[1] for number in range(8))
    return [chip.label.split("} ")[1].rstrip(" ×").strip(signs) for chip in chips(page).values()]


def add(page, run_id):
    page.selectbox(key="cmp_add").set_value(run_id)
    return settle(page)


def address(page):
    """The runs in the address bar."""
    value = page.query_params.get("cmp_runs", [])
    return value if isinstance(value, list) else [value]


def words(page):
    """What the page says, with plain spaces."""
    elements = [*page.header, *page.subheader, *page.markdown, *page.caption, *page.info]
    return " ".join(element.value for element in elements).replace("\N{NO-BREAK SPACE}", " ")
