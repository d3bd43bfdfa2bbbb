"""The controls of the Train page, and the address bar that says where they stand."""

import itertools
from collections.abc import Callable
from typing import Any

import streamlit as st

from mnist_core.analysis.url import config_from_query, query_of
from mnist_core.config import ACTIVATIONS, OPTIMIZERS, SCHEDULES, RunConfig
from mnist_core.dataset_specs import dataset_names
from mnist_core.errors import InputError
from mnist_core.formatting import number, recipe_label
from mnist_core.models import make_config, model_names, model_spec, model_title
from mnist_core.models.grid import AXES, opening_config

ADDRESS = (*RunConfig.names(), "recipe")
CUSTOM = "Custom"
Widget = Callable[..., object]


def current_config() -> RunConfig:
    """What the page shows: the address bar's config where that is new, else the visitor's own.

    A link, and the browser's back and forward, change the address, and the controls follow.
    After a visit to another page the address is empty, and the controls are as they were left.
    """
    state, query = st.session_state, address()
    if query != state.get("train_query") and (query or "train" not in state):
        state.train, state.complaints = config_from_query(query)
    return state.train


def address() -> dict[str, str]:
    """The part of the address bar's query that says which run is shown."""
    return {name: st.query_params[name] for name in ADDRESS if name in st.query_params}


def write_address(config: RunConfig) -> None:
    """Puts the config into the address bar, unless it is there already."""
    st.session_state.train_query = query = query_of(config)
    if address() != query:
        for name in address().keys() - query.keys():
            del st.query_params[name]
        st.query_params.update(query)


def changed(name: str, key: str) -> None:
    """A control was moved. A network brings its own recipe; a recipe sets every control."""
    config, value = st.session_state.train, st.session_state[key]
    st.session_state.complaints = []
    try:
        if name == "model":
            config = opening_config(value).replace(dataset=config.dataset, seed=config.seed)
        elif name == "recipe":
            keep = {"dataset": config.dataset, "seed": config.seed}
            config = make_config(config.model, value, **keep) if value != CUSTOM else config
        elif value is not None:
            config = config.replace(**{name: value})
    except InputError as error:
        st.session_state.complaints = [str(error)]
    show(config)


def show(config: RunConfig) -> None:
    """Shows another run; the one that was shown stays as a faint line."""
    if config != st.session_state.train:
        st.session_state.train_left = st.session_state.train
    st.session_state.train = config


def control(
    widget: Widget, label: str, name: str, config: RunConfig, *, key: str = "", **options: Any
) -> None:
    """A widget that shows one field of the config and changes it."""
    key = key or f"control_{name}"
    st.session_state[key] = getattr(config, name)
    help = RunConfig.metadata(name)["help"]
    widget(label, key=key, on_change=changed, args=(name, key), help=help, **options)


def choices(config: RunConfig, recipe: str | None) -> None:
    """Data set, network and recipe."""
    first, second, third = st.columns(3)
    control(first.selectbox, "Data set", "dataset", config, options=dataset_names())
    names = model_names()
    control(second.selectbox, "Network", "model", config, options=names, format_func=model_title)
    recipes = [each.name for each in model_spec(config.model).recipes]
    st.session_state.control_recipe = recipe or CUSTOM
    third.selectbox(
        "Recipe",
        recipes if recipe else [*recipes, CUSTOM],
        key="control_recipe",
        format_func=recipe_label,
        on_change=changed,
        args=("recipe", "control_recipe"),
        help="A named set of all settings. Choosing one sets every control.",
    )


def sliders(config: RunConfig) -> None:
    """The four main controls, and all others behind an expander."""
    columns = st.columns(3)
    named = (("Learning rate", "lr"), ("Batch size", "batch_size"), ("Dropout", "dropout"))
    for column, (label, name) in zip(columns, named, strict=True):
        options = sorted({*AXES[name], getattr(config, name)})
        control(column.select_slider, label, name, config, options=options, format_func=number)
    control(st.pills, "Activation", "activation", config, options=ACTIVATIONS, required=True)
    what = "epochs, seed, optimiser, schedule, augmentation, exact values"
    with st.expander(f"More settings: {what}"):
        more_settings(config)


OPTIONS = {"optimizer": OPTIMIZERS, "schedule": SCHEDULES}
MORE = {
    "epochs": "Epochs",
    "seed": "Seed",
    "optimizer": "Optimiser",
    "momentum": "Momentum",
    "weight_decay": "Weight decay",
    "schedule": "Schedule",
    "step_size": "Step size",
    "gamma": "Gamma",
    "patience": "Patience",
    "min_lr": "Lowest learning rate",
    "label_smoothing": "Label smoothing",
    "rotation": "Rotation (degrees)",
    "shift": "Shift (pixels)",
    "lr": "Exact learning rate",
    "batch_size": "Exact batch size",
    "dropout": "Exact dropout",
}


def more_settings(config: RunConfig) -> None:
    """Every other field; those that the present choice ignores are greyed out."""
    used, columns = config.used(), itertools.cycle(st.columns(4))
    for (name, label), column in zip(MORE.items(), columns, strict=False):
        where: dict[str, Any] = {"key": f"exact_{name}", "disabled": name not in used}
        if name in OPTIONS:
            control(column.selectbox, label, name, config, options=OPTIONS[name], **where)
        else:
            control(column.number_input, label, name, config, **where, **limits(config, name))


def limits(config: RunConfig, name: str) -> dict[str, Any]:
    """The options of a number field: the range that the config allows, whole numbers or not."""
    rule = RunConfig.metadata(name)["rule"]
    if isinstance(getattr(config, name), int):
        return {"min_value": int(rule.low), "max_value": int(rule.high)}
    return {"min_value": float(rule.low), "max_value": float(rule.high), "format": "%g"}
