"""A chart added as CONTRIBUTING tells: from the table of runs onto a page."""

import json

from streamlit.testing.v1 import AppTest

from mnist_core.models import make_config
from tests.documents import blocks_of
from tests.stores import make_run

PAGE = """
from mnist_core.analysis.aggregate import single_runs
from mnist_core.analysis.table import runs_table
from mnist_core.runs.store import RunStore
from pages.components.compare import files
from pages.components.compare.comparison import Comparison, chart

store = RunStore()
runs = store.list()[0]
rows = single_runs(runs_table(store, runs))
comparison = Comparison(store, {run.id: run for run in runs}, rows, [], {})
"""


def test_a_chart_is_a_function_and_one_line_of_a_page(store):
    for model, accuracy in (("lenet5", 0.99), ("medium", 0.98)):
        make_run(store, make_config(model, epochs=2), accuracy=accuracy)
    function, line = blocks_of(".github/CONTRIBUTING.md", "Add a chart")
    page = AppTest.from_string(
        "\n".join([function, PAGE, line, "files.menu()"]), default_timeout=30
    ).run()
    assert not page.exception
    (figure,) = (json.loads(each.proto.spec) for each in page.get("plotly_chart"))
    assert figure["data"][0]["text"] == ["LeNet-5", "Medium"]
    assert [button.label for button in page.get("download_button")] == ["time.csv"]
