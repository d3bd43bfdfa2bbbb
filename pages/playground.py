"""Playground: draw, and see what a network sees, what it answers, and what each layer does."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import streamlit as st
from PIL import Image

from mnist_core import explain, preprocess
from mnist_core.charts import COLOURS
from mnist_core.datasets import SPECS
from mnist_core.errors import LabError
from mnist_core.examples import EXAMPLES
from mnist_core.runs import Run
from mnist_core.words import percent
from pages.parts.common import all_runs, enter_through_app, model_title
from pages.parts.drawing import drawing, example, upload

if TYPE_CHECKING:
    from torch import nn

SHOWN = 140  # side in pixels of a picture of what the network sees
EXPECTS = {
    "MNIST": "Expects one handwritten digit, 0 to 9.",
    "QMNIST": "Expects one handwritten digit, 0 to 9.",
    "FashionMNIST": "Expects one garment, filled in, as in a catalogue: "
    f"{', '.join(SPECS['FashionMNIST'].classes).lower()}.",
    "KMNIST": "Expects one of ten cursive Japanese characters: "
    f"{', '.join(SPECS['KMNIST'].classes)}.",
}


def rank(run: Run) -> tuple[bool, float]:
    """Finished runs first, and of these the more accurate."""
    return run.state != "done", -(run.summary.validation_accuracy or 0.0)


def follow_link(runs: dict[str, Run]) -> None:
    """Chooses the run that the address bar asks for, unless it is the one shown anyway."""
    state, asked = st.session_state, st.query_params.get("play_run")
    if asked is None or asked == state.get("play_shown"):
        return
    state["play_lost"] = None if asked in runs else asked
    if asked in runs:
        dataset = runs[asked].config.dataset
        state["play_data"], state[f"play_run_{dataset}"] = dataset, asked


def forget_link() -> None:
    st.session_state["play_lost"] = None


def tell_lost() -> None:
    """Says until another run is chosen that a link led nowhere."""
    lost = st.session_state.get("play_lost")
    if lost is not None:
        st.warning(
            f"The link asks for the run {lost[:100]!r}, which is not here or has no weights; "
            "this is another one.",
            icon=":material/link_off:",
        )


def choose_run(runs: dict[str, Run]) -> Run:
    """A data set, then one of the networks trained on it. The address bar names the run."""
    follow_link(runs)
    datasets = [name for name in SPECS if any(r.config.dataset == name for r in runs.values())]
    st.session_state.setdefault("play_data", datasets[0])
    dataset = st.segmented_control(
        "Trained on",
        datasets,
        key="play_data",
        required=True,
        persist_state="session",
        on_change=forget_link,
        help="The images that the network learned from.",
    )
    own = {id: run for id, run in runs.items() if run.config.dataset == dataset}
    chosen = st.selectbox(
        "Network",
        list(own),
        format_func=lambda id: title(own[id], list(own.values())),
        key=f"play_run_{dataset}",
        persist_state="session",
        on_change=forget_link,
        help="With its accuracy on validation images; the best finished run comes first.",
    )
    st.query_params["play_run"] = st.session_state["play_shown"] = chosen
    return runs[chosen]


def title(run: Run, others: list[Run]) -> str:
    """Such as "LeNet-5 · 98.9 %", with the end of its id where the network has several runs."""
    parts = [model_title(run.config.model), percent(run.summary.validation_accuracy, 1)]
    parts += [] if run.state == "done" else [run.state]
    several = sum(other.config.model == run.config.model for other in others) > 1
    return " · ".join(parts + [run.id[-10:]] * several)


@st.cache_resource(max_entries=32, show_spinner="Loading the network …")
def network(run_id: str, weights_sha256: str, _run: Run) -> nn.Module:
    """One network for all visitors: nothing may change it or leave anything on it."""
    from mnist_core.evaluation import load_model

    return load_model(_run)


def look(run: Run, image: np.ndarray) -> tuple[nn.Module, dict[str, np.ndarray]]:
    """The network, and the output of each of its stages for one (28, 28) image."""
    model = network(run.id, run.summary.weights_sha256, run)
    import torch

    from mnist_core.datasets import to_input

    return model, explain.feature_maps(model, to_input(torch.tensor(image)[None], run.config))


def show_answer(run: Run, logits: np.ndarray, drawn: bool) -> None:
    """The class, how sure, and the probabilities of all ten."""
    from mnist_core.evaluation import softmax

    probabilities = softmax(logits[None])[0]
    classes = SPECS[run.config.dataset].classes
    first, second = probabilities.argsort()[::-1][:2]
    article = "an" if classes[first][0] in "8A" else "a"
    st.header(
        f"Reads {article} **{classes[first]}** · {percent(probabilities[first], 1)}", anchor=False
    )
    if drawn:
        guess = f"{classes[second]} · {percent(probabilities[second], 1)}"
        sure = probabilities[second] < 0.001
        st.markdown(f":green-badge[Yours] Second guess: {'none above 0.1 %' if sure else guess}")
    else:
        what = EXAMPLES[run.config.dataset].what
        st.markdown(f":orange-badge[Example] Here the lab drew {what}. Now draw your own!")
    st.vega_lite_chart(
        bars(classes, probabilities),
        height=270,
        key="play_bars",
        alt=f"Probabilities of the ten classes; the highest is {classes[first]}",
    )


def bars(classes: tuple[str, ...], probabilities: np.ndarray) -> dict[str, Any]:
    """Horizontal bars in the order of the classes, as a Vega-Lite chart."""
    top = probabilities.argmax()
    rows = [
        {"class": name, "probability": p, "text": percent(p, 1), "top": bool(i == top)}
        for i, (name, p) in enumerate(zip(classes, probabilities.tolist(), strict=True))
    ]
    axis = {"title": None, "labelFontSize": 14, "ticks": False, "domain": False}
    scale = {"domain": [0, 1.18]}
    return {
        "data": {"values": rows},
        "encoding": {
            "y": {"field": "class", "type": "nominal", "sort": None, "axis": axis},
            "x": {"field": "probability", "type": "quantitative", "scale": scale, "axis": None},
        },
        "layer": [
            {
                "mark": {"type": "bar", "cornerRadiusEnd": 3, "height": {"band": 0.72}},
                "encoding": {
                    "color": {
                        "condition": {"test": "datum.top", "value": COLOURS[0]},
                        "value": COLOURS[-1],
                    }
                },
            },
            {
                "mark": {"type": "text", "align": "left", "dx": 5, "color": COLOURS[-1]},
                "encoding": {"text": {"field": "text"}},
            },
        ],
    }


def show_steps(stages: preprocess.Stages) -> None:
    """From ink to the image that the network reads, side by side."""
    st.subheader("What the network sees", anchor=False)
    with st.grid("auto", min_column_width=SHOWN, gap="small"):
        for step in stages.steps:
            st.image(
                explain.png(squared(step.image)),
                caption=f"**{step.name}** {step.explanation}",
                width=SHOWN,
                alt=f"The drawing, {step.name}",
            )


def squared(image: np.ndarray) -> np.ndarray:
    """(h, w) -> (SHOWN, SHOWN, 2) uint8, grey and opacity: in the middle, its pixels as squares."""
    factor = max(1, SHOWN // max(image.shape))
    large = Image.fromarray(image.repeat(factor, axis=0).repeat(factor, axis=1))
    large.thumbnail((SHOWN, SHOWN), Image.Resampling.BOX)
    square = Image.new("LA", (SHOWN, SHOWN))
    square.paste(large.convert("LA"), [(SHOWN - side) // 2 for side in large.size])
    return np.asarray(square)


def show_stages(model: nn.Module, maps: dict[str, np.ndarray]) -> None:
    """One picture for each stage of the network, with what it is, its shape and its scale."""
    st.subheader("What each layer makes of it", anchor=False)
    st.caption(
        "The output of every stage, channel by channel. Black is zero; the brighter, the farther "
        "from it. Each stage has its own scale."
    )
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.caption("negative", width="content")
        st.image(explain.colour_bar().png(), alt="From light blue through black to light orange")
        st.caption("positive", width="content")
    for flat in (False, True):
        with st.grid("auto", min_column_width=260, gap="small"):
            for name, values in maps.items():
                if (values.ndim == 1) == flat:
                    show_stage(name, explain.kind_of(model, name), values)


def show_stage(name: str, kind: str, values: np.ndarray) -> None:
    picture = explain.tile(values, 256, 256, grey=name == "input")
    what = f"**{name}** · {kind}" if kind != name else f"**{name}**"
    shape = " × ".join(map(str, values.shape))
    st.image(
        picture.png(),
        caption=f"{what}  \n{shape} · {ends(picture)}",
        width=picture.indices.shape[1],
        alt=f"Output of stage {name}, {shape}",
    )


def ends(picture: explain.Tile) -> str:
    """The values at both ends of the colours, such as "−3.1 to 3.1"."""
    return f"{picture.low:.3g} to {picture.high:.3g}".replace("-", "−")


enter_through_app()
store, found = all_runs()
ready = {run.id: run for run in sorted(found, key=rank) if run.has_weights}
st.title("Playground", anchor=False)
if not ready:
    st.info("No network has been trained yet.", icon=":material/school:")
    st.page_link("pages/train.py", label="Train one", icon=":material/tune:")
    st.stop()
with st.container(horizontal=True):
    run = choose_run(ready)
    way = st.segmented_control(
        "Your input",
        ["Draw", "Upload a picture"],
        default="Draw",
        key="play_way",
        required=True,
        persist_state="session",
    )
tell_lost()
dataset = run.config.dataset
st.caption(EXPECTS.get(dataset, SPECS[dataset].about))

with st.container(horizontal=True, gap="medium"):
    left, right = st.container(width=300), st.container(key="play_answer")
with left:
    own = drawing(dataset) if way == "Draw" else upload()
stages = own or preprocess.from_canvas(example(dataset))
model, maps = None, {}
with right:
    try:
        model, maps = look(run, stages.final)
        show_answer(run, list(maps.values())[-1], drawn=own is not None)
    except LabError as error:
        st.error(str(error), icon=":material/error:")
show_steps(stages)
if model:
    show_stages(model, maps)
