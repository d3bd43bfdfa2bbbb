"""What tests of Compare share: opening it, and looks at what is on it."""

import json
from functools import partial

from tests.app import opening
from tests.app.opening import settle

SCATTERS, CURVES = (0, 1), (2, 3)


open_page = partial(opening.open_page, "compare")


def table_of(page):
    return page.dataframe[0].value


def charts(page):
    return [json.loads(chart.proto.spec) for chart in page.get("plotly_chart")]


def chosen(page):
    """The runs in the table that are ticked."""
    rows = page.session_state["cmp_table"]["selection"]["rows"]
    return table_of(page)["id"].iloc[rows].tolist()


def tick(page, *ids):
    every = table_of(page)["id"].tolist()
    rows = [every.index(run_id) for run_id in ids]
    page.session_state["cmp_table"] = {"selection": {"rows": rows, "columns": [], "cells": []}}
    return settle(page)


def address(page):
    """The runs in the address bar."""
    value = page.query_params.get("cmp_runs", [])
    return value if isinstance(value, list) else [value]


def words(page):
    return " ".join(element.value for element in [*page.markdown, *page.caption, *page.info])
