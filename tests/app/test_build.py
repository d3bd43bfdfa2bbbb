"""Build your own network on the Train page, and the challenges below it, without a browser."""

from functools import partial

from mnist_core.formatting import JOINER
from mnist_core.models import make_config, model_names
from mnist_core.models.starting import chains
from mnist_core.runs.about import about
from mnist_core.training import cost
from tests.app import opening
from tests.stores import make_run

open_page = partial(opening.open_page, "train")
FIRST = "conv 8 5x5, relu, pool 2, conv 16 5x5, relu, pool 2, flatten, linear 10"


def said(page):
    return "\n".join(each.value for kind in (page.markdown, page.caption) for each in kind)


def line(page):
    return page.text_input(key="build_text").value


def write(page, text):
    page.text_input(key="build_text").set_value(text).run()


def field(page, name, place):
    return page.number_input(key=f"build_field_{name}_{place}")


def test_a_network_is_written_and_kept_in_the_address(store):
    page = open_page()
    assert not any(each.key == "build_text" for each in page.text_input)
    page.selectbox(key="control_model").select("custom").run()
    assert line(page) == FIRST and "5,994 parameters · 323k multiply-accumulates" in said(page)
    assert "measuring the time for an epoch" in said(page)
    cost.save(store, make_config(layers=FIRST), cost.Cost(1e-4, 0.0064, 2e-5, 3.0))
    assert "an epoch here" in said(page.run())
    write(page, "Conv 4 5x5, pool 2, flatten, linear 10")
    assert line(page) == "Conv 4 5x5, pool 2, flatten, linear 10"  # as it was typed
    assert page.query_params["layers"] == line(page).lower()
    again = open_page(model="custom", layers=line(page))
    assert line(again) == line(page).lower() and not again.warning


def test_rows_and_the_line_are_in_step(store):
    page = open_page(model="custom", layers="conv 4 5x5, pool 2, flatten, linear 10")
    page.selectbox(key="build_kind").select("Convolution").run()
    page.button(key="build_add").click().run()
    assert line(page) == "conv 4 5x5, pool 2, conv 8 3x3, flatten, linear 10"
    page.button(key="build_move_up_2").click().run()
    assert line(page) == "conv 4 5x5, conv 8 3x3, pool 2, flatten, linear 10"
    field(page, "channels", 1).set_value(6).run()
    field(page, "stride", 1).set_value(2).run()
    field(page, "padding", 1).set_value(1).run()
    page.checkbox(key="build_field_bias_1").uncheck().run()
    conv = "conv 6 3x3 stride 2 padding 1 no bias"
    assert line(page) == f"conv 4 5x5, {conv}, pool 2, flatten, linear 10"
    page.selectbox(key="build_kind_2").select("Average pooling").run()
    field(page, "kernel_pool", 2).set_value(3).run()
    page.button(key="build_move_down_1").click().run()
    assert line(page) == f"conv 4 5x5, average pool 3, {conv}, flatten, linear 10"
    page.button(key="build_move_remove_2").click().run()
    page.selectbox(key="build_kind_1").select("Activation").run()
    page.selectbox(key="build_field_name_1").select("tanh").run()
    page.selectbox(key="build_kind").select("Dropout").run()
    page.button(key="build_add").click().run()
    page.number_input(key="build_field_rate_3").set_value(0.5).run()
    assert line(page) == "conv 4 5x5, tanh, flatten, dropout 0.5, linear 10"
    assert page.query_params["layers"] == line(page)
    write(page, "conv 4 5x3, flatten, linear 10")
    page.text_input(key="build_field_kernel_text_0").set_value("3x7").run()
    assert line(page) == "conv 4 3x7, flatten, linear 10"
    page.text_input(key="build_field_kernel_text_0").set_value("three").run()
    assert line(page) == "conv 4 3x7, flatten, linear 10"
    assert "kernel: 'three' was given" in page.warning[0].value


def test_what_is_no_layer_is_a_row_to_be_corrected(store):
    page = open_page(model="custom")
    write(page, "pool 4, flattten, linear 10")
    assert [e.value.strip(JOINER) for e in page.error] == [
        "flattten is no kind of layer; did you mean flatten?"
    ]
    page.text_input(key="build_text_1").set_value("flatten").run()
    assert line(page) == "pool 4, flatten, linear 10" and not page.error


def test_a_name_is_a_label_of_all_runs_of_the_network(store):
    runs = [make_run(store, make_config(layers=FIRST, seed=seed)) for seed in (1, 2)]
    other = make_run(store, make_config(layers="pool 4, flatten, linear 10"))
    page = open_page(model="custom")
    name = page.text_input(key=f"build_name_{runs[0].id}")
    assert name.placeholder == "Own 8C5-P2-16C5-P2-10"
    name.set_value("Ada").run()
    assert [about(run).label for run in (*runs, other)] == ["Ada", "Ada", ""]


def test_a_mistake_is_a_sentence_where_it_arises_and_the_shown_network_stays(store):
    page = open_page(model="custom")
    write(page, "pool 9, conv 8 5x5, flatten, linear 10")
    assert [e.value.strip(JOINER) for e in page.error] == [
        "5×5 does not fit into 3×3: add padding or drop a pooling"
    ]
    assert "layers" not in page.query_params and line(page).startswith("pool 9")
    write(page, "flatten, linear 12")
    assert "12 numbers and the data set has 10 classes: end with linear 10" in page.error[0].value
    write(page, FIRST)
    assert not page.error


def test_it_starts_from_any_chain_of_the_zoo(store):
    assert set(chains()) == set(model_names()) - {"custom"}
    page = open_page(model="custom")
    for model, layers in (("lenet5", "flatten, linear 120, selu, linear 84"), ("medium", "0.1")):
        page.selectbox(key="build_start").select(model).run()
        assert layers in line(page) and not page.error
    assert page.query_params["model"] == "custom"


def test_windows_that_add_no_context_are_marked(store):
    page = open_page(
        model="custom",
        layers="conv 2 27x27, pool 2, conv 2 1x1, pool 1, conv 2 1x1, flatten, linear 10",
    )
    assert "no more context" not in said(page)
    write(page, "conv 2 27x27, pool 2, conv 2 3x3 padding 1, flatten, linear 10")
    assert said(page).count("no more context") == 1


def test_the_best_by_validation_leads_a_challenge(store):
    sizes = {"parameters": 9_000, "seconds": 60.0}
    for seed, accuracy in ((1, 0.992), (2, 0.985), (3, 0.997)):
        make_run(store, make_config(layers=FIRST, seed=seed), accuracy=accuracy, **sizes)
    small = make_config(layers="pool 4, flatten, linear 10")
    make_run(store, small, accuracy=0.91, parameters=500, seconds=8.0)
    page = open_page(train_tab="Challenges")
    boards = [
        e.value.replace("\N{NO-BREAK SPACE}", " ")
        for e in page.markdown
        if e.value.startswith("|  | Network")
    ]
    assert len(boards) == 3 and boards[0].count("\n") == 3 and "99.70 %" in boards[0]
    assert "🏆" in boards[0] and "🏆" not in boards[1] and "91.00 %" in boards[1]
    assert "91.00 %" in boards[2] and "99.70 %" not in boards[2]
