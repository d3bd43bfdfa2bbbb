"""The tabs below the Train page's curves, without a browser."""

import numpy as np

from mnist_core.models import make_config
from mnist_core.runs.bundle import write_bundle
from mnist_core.runs.run import Mistakes
from mnist_core.runs.store import RunStore
from mnist_core.tuning import Tuning
from pages.components.train.mistakes import drawn_for
from tests.app.train_page import open_page, opening, words
from tests.stores import add_run, make_labels, make_run


def test_each_tab_shows_what_it_promises(lab, monkeypatch):
    make_run(lab, opening())
    page = open_page()
    assert "1 of 50 are trained" in words(page)
    page.session_state["train_tab"] = "Training images"
    page.run()
    assert "<img" in "".join(e.proto.body for e in page.get("html"))
    still = "Both are 0: the images stay as they are."
    assert still in [caption.value for caption in page.caption]
    page.number_input(key="exact_elastic").set_value(1.5).run()
    assert page.query_params["elastic"] and still not in [c.value for c in page.caption]
    page.number_input(key="exact_elastic").set_value(0.0).run()
    page.select_slider(key="augment_rotation").set_value(10).run()
    assert "rotation" in page.query_params
    page.session_state["train_tab"] = "Files and command"
    page.run()
    assert page.code[0].value.endswith("--rotation 10")
    monkeypatch.setenv("MNIST_DATA", str(lab.root))  # no images there: the lab draws some
    page = open_page(train_tab="Training images")
    assert "The first training on MNIST downloads them" in words(page) and not page.info
    assert "<img" in "".join(e.proto.body for e in page.get("html"))


def test_mistakes_of_a_grid_run_link_to_runs_with_weights(lab, monkeypatch):
    run = make_run(RunStore(lab.root / "other"), opening())
    wrong = Mistakes(
        np.array([8, 33], np.int32), np.array([3, 5], np.uint8), np.float32([0.6, 0.9])
    )
    write_bundle(lab.bundle_path("MNIST"), [run], {run.id: wrong})
    make_labels(lab, test=60)
    kin = add_run(lab, "lenet5", accuracy=0.99)
    page = open_page()
    assert "**2** of 60 test images are classified wrongly (3.33 %)" in words(page)
    shown = "".join(element.proto.body for element in page.get("html"))
    assert shown.index("3, read as 5\n90 % sure") < shown.index("8, read as 3\n60 % sure")
    assert f"playground?play_run={kin.id}&amp;play_test=33" in shown
    assert "(As published)." in words(page)
    assert page.query_params.get("train_tab") is None
    monkeypatch.setenv("MNIST_DATA", str(lab.root))  # no images there: their numbers
    page = open_page()
    assert "№ 33: 3, read as 5, 90 % sure · № 8" in words(page) and not page.info


def test_a_run_with_weights_shows_its_first_kernels(store):
    add_run(store, "lenet5", epochs=1)
    page = open_page(model="lenet5", recipe="reference", epochs="1", train_tab="First kernels")
    assert "LeNet-5 begins with 6 kernels of 5×5 weights" in words(page)
    assert "".join(element.proto.body for element in page.get("html")).count("<img") == 6


def test_a_fine_tuned_run_does_not_read_for_another(store):
    grid = make_run(store, make_config("lenet5", seed=2))
    tuned = add_run(store, accuracy=0.99, tuning=str(Tuning("all", 20, 16 * "0", 5, 0.001, 7)))
    assert drawn_for(grid, [grid, tuned]) is None and drawn_for(tuned, [tuned]) == tuned
    parent = add_run(store, accuracy=0.98)
    assert drawn_for(grid, [grid, tuned, parent]) == parent
