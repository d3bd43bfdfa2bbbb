"""The Live canvas: the browser computes as the server does, which checks what is sent to it."""

import base64
import json
import re
import types
from contextlib import suppress

import numpy as np
import pytest
import torch
from torch import nn

from mnist_core.data.datasets import load
from mnist_core.data.transforms import resize, scale_and_offset
from mnist_core.dataset_specs import dataset_spec
from mnist_core.errors import InputError
from mnist_core.evaluation.metrics import softmax
from mnist_core.evaluation.network import load_network
from mnist_core.evaluation.predict import logits_of
from mnist_core.imaging.preprocess import from_canvas, without_normalising
from mnist_core.inspection.ablation import Ablation, ablated, checked_ablation
from mnist_core.inspection.chain_data import chain_data
from mnist_core.models import create_model_for, make_config, model_names
from pages.components.playground.canvas import SIDE
from tests.app.live_script import examine
from tests.app.play_canvas import answer, data_url, expected_answer, open_page, stroke, words
from tests.drawing import draw
from tests.stores import add_run

CENTRED, FILLED, SHRUNK = range(3)
WAYS = [
    {"fill": False, "centred": True, "every": 1},
    {"fill": True, "centred": True, "every": 4},
    {"fill": False, "centred": False, "every": 4},
]
ACCEPTED = {"lenet5", "lenet5-1998", "lenet", "medium", "small", "ultrasmall", "fast"}
ACCEPTED |= {"myfullconvnet", "mynetv2", "custom"}


def odd_chain() -> nn.Sequential:
    """Layers and settings that no registered network has."""
    return nn.Sequential(
        nn.Conv2d(1, 5, (3, 5), stride=(2, 1), padding=(1, 2)),
        nn.PReLU(5),
        nn.MaxPool2d(3, stride=2, padding=1),
        nn.BatchNorm2d(5),
        nn.ELU(0.7),
        nn.Conv2d(5, 6, 3, bias=False),
        nn.RReLU(),
        nn.AvgPool2d((2, 3), stride=1, padding=1),
        nn.AvgPool2d(3, stride=2, padding=1, count_include_pad=False),
        nn.LeakyReLU(0.2),
        nn.Dropout(0.5),
        nn.Flatten(),
        nn.LazyLinear(12),
        nn.BatchNorm1d(12),
        nn.SELU(),
        nn.Identity(),
        nn.Linear(12, 10),
    )


def networks():
    """Every chain that is accepted, with weights and statistics as if it had been trained."""
    torch.manual_seed(3)
    found = {}
    for name in (*model_names(), "odd"):
        config = make_config("lenet" if name == "odd" else name)
        model = odd_chain() if name == "odd" else create_model_for(config)
        model(torch.randn(8, 1, config.input_size, config.input_size))  # running statistics
        with suppress(InputError):
            found[name] = (config, model.eval(), chain_data(model, config.input_size))
    return found


def chain_of(config, chain):
    scale, offset = scale_and_offset(dataset_spec(config.dataset), config.scaling)
    sizes = {"size": config.input_size, "fit": config.fit, "scale": scale, "offset": offset}
    return {"layers": chain.layers, "numbers": coded(chain.numbers), "input": sizes}


def coded(values):
    return base64.b64encode(values.tobytes()).decode()


def test_the_browser_prepares_and_computes_as_the_server(tmp_path):
    rng = np.random.default_rng(0)
    drawings = [
        draw(
            int(rng.integers(10)),
            canvas=SIDE,
            size=float(rng.uniform(0.06, 0.97)),
            stroke=float(rng.uniform(0.05, 0.3)),
            ink=(255,) * 4,
            rng=rng,
        )
        for _ in range(100)
    ]
    images = [
        np.stack([from_canvas(each).final for each in drawings]),
        np.stack([from_canvas(each, fill=True).final for each in drawings[::4]]),
        np.stack([without_normalising(from_canvas(each)).final for each in drawings[::4]]),
    ]
    known = networks()
    assert known.keys() == ACCEPTED | {"odd"}
    asked = [{"chain": chain_of(c, d), "way": CENTRED} for c, _, d in known.values()]
    config, model, chain = known["lenet5"]
    parts = Ablation({"conv1": (1, 4), "act3": (7,)}, {"conv2": 0.5, "output": 1.25}, seed=9)
    places = {layer["name"]: at for at, layer in enumerate(chain.layers)}
    changes = {
        "silenced": [[places[n], c] for n, found in parts.silenced.items() for c in found],
        "noise": [[places[name], level] for name, level in parts.noise.items()],
        "seed": parts.seed,
    }
    asked.append({"chain": chain_of(config, chain), "way": FILLED, "changes": changes})
    given = {"drawings": [coded(each[..., 3]) for each in drawings], "side": SIDE, "ways": WAYS}
    found = examine(given | {"networks": asked}, tmp_path)

    for way, expected in enumerate(images):
        assert np.array_equal(np.reshape(found["prepared"][way], (-1, 28, 28)), expected)
    cases = [(c, m, images[CENTRED]) for c, m, _ in known.values()]
    cases.append((config, ablated(model, chain, parts), images[FILLED]))
    for (config, model, given), shares in zip(cases, found["answers"], strict=True):
        pixels = resize(torch.tensor(given), config.input_size, config.fit)
        expected = softmax(logits_of(model, pixels, config).numpy())
        assert np.abs(expected - shares).max() < 1e-4
    intact = softmax(logits_of(known["lenet5"][1], pixels, config).numpy())
    assert np.abs(intact - expected).max() > 1e-3  # the parts that were switched off matter


@pytest.mark.parametrize(
    "model, words",
    [
        (nn.Sequential(nn.Conv2d(1, 4, 3, groups=1, dilation=2), nn.Flatten()), "dilation"),
        (nn.Sequential(nn.Flatten(), nn.GELU()), "GELU"),
        (nn.Sequential(nn.Flatten(), nn.Linear(784, 128)), "99,999"),
        (nn.Linear(784, 10), "no|not a chain"),
    ],
)
def test_other_networks_are_refused_in_a_sentence(model, words):
    with pytest.raises(InputError, match=words):
        chain_data(model, 28)


GOOD = {"silenced": {"conv1": [0, 5]}, "noise": {"conv1": 0.5}, "seed": 1}


@pytest.mark.parametrize(
    "change, words",
    [
        ({"silenced": {"conv1": [6]}}, "0 to 5"),
        ({"silenced": {"conv1": ["0"]}}, "0 to 5"),
        ({"silenced": {"conv1": True}}, "0 to 5"),
        ({"silenced": {"conv9": [0]}}, "does not have"),
        ({"silenced": None}, "does not have"),
        ({"noise": {"pool1": 0.5}}, "no weights"),
        ({"noise": {"conv1": 2.5}}, "from 0 to 2"),
        ({"noise": {"conv1": float("nan")}}, "from 0 to 2"),
        ({"seed": 1.5}, "seed"),
        ({"seed": -1}, "seed"),
    ],
)
def test_what_the_browser_asks_for_is_checked(change, words):
    config = make_config("lenet5")
    chain = chain_data(create_model_for(config).eval(), 32)
    assert checked_ablation(GOOD, chain).channels == 2
    with pytest.raises(InputError, match=words):
        checked_ablation(GOOD | change, chain)
    with pytest.raises(InputError):
        checked_ablation([], chain)


def sent(page):
    """What the browser gets of the Live canvas."""
    return json.loads(page.get("bidi_component")[0].proto.json)


def arrive(page, **message):
    page.session_state["play_live"] = types.SimpleNamespace(**message)
    page.run()
    assert not page.exception


def test_a_live_drawing_gets_the_servers_answer_and_the_network_is_sent_once(lab, canvas):
    run, image = add_run(lab), draw(4, canvas=SIDE, ink=(255,) * 4)
    page = open_page()
    page.session_state["play_way"] = "Live"
    page.run()
    first = sent(page)
    assert first["network"]["id"] == run.id and first["backdrop"] and not canvas.calls[1:]
    drawing = {"raw": {"objects": [stroke(4)]}, "data": data_url(image), "network": run.id}
    arrive(page, drawing=drawing)
    assert expected_answer(run, from_canvas(image).final) in answer(page)
    assert sent(page)["network"] == {"id": run.id} and not sent(page)["backdrop"]

    off = {"network": run.id, "silenced": {"conv1": [0, 1, 2, 3, 4, 5]}, "noise": {}, "seed": 1}
    page.session_state["play_live_asked"] = off
    arrive(page, drawing=drawing)
    found = re.findall(r"(\d+\.\d\d) %", sent(page)["accuracy"])
    assert "60 images" in sent(page)["accuracy"] and "6 channels" in sent(page)["accuracy"]
    chain = chain_data(load_network(run).model, 32)
    blind = ablated(load_network(run).model, chain, checked_ablation(off, chain))
    test = load(run.config.dataset).test
    for model, given in zip((load_network(run).model, blind), found, strict=True):
        pixels = resize(test.images, 32, run.config.fit)
        right = logits_of(model, pixels, run.config).argmax(1) == test.labels
        assert abs(100 * right.double().mean() - float(given)) < 0.006
    page.session_state["play_live_asked"] = off | {"silenced": {"conv1": [6]}}
    forged = {"raw": {"objects": [{"type": "Image"}]}, "data": "", "network": run.id}
    arrive(page, drawing=forged)
    assert "0 to 5 only" in sent(page)["accuracy"] and "refused" in words(page)
    arrive(page, drawing={"raw": {"objects": []}, "data": "", "network": "other"})
    assert answer(page) is None and "numbers" in sent(page)["network"]


def test_a_network_that_is_too_large_gets_the_usual_canvas(store, canvas):
    add_run(store, "myvggnet")
    page = open_page(play_way="Live")
    assert "287,642 parameters" in words(page) and len(canvas.calls) == 1
