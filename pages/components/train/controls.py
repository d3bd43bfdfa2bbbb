"""The controls of the Train page, and the address bar that says where they stand."""

import functools
from collections.abc import Callable, Sequence
from typing import Any

import streamlit as st

from mnist_core.analysis.url import config_from_query, query_of
from mnist_core.config import ACTIVATIONS, CUSTOM, OPTIMIZERS, SCHEDULES, RunConfig
from mnist_core.data.augment import AUGMENTATIONS
from mnist_core.dataset_specs import dataset_names, dataset_spec, dataset_title
from mnist_core.errors import InputError
from mnist_core.formatting import number, recipe_label
from mnist_core.layers.revise import with_classes
from mnist_core.models import make_config, model_names, model_spec, model_title, recipe_of
from mnist_core.models.grid import AXES, opening_config
from mnist_core.models.stats import gloss
from mnist_core.runs.run import Run
from pages.components.shared import common
from pages.components.shared.terms import see
from pages.components.train import moving

ADDRESS = (*RunConfig.option_names(), "recipe")
NO_RECIPE = "Custom"
Widget = Callable[..., object]
# What the glossary says of a field.
TERMS = {
    "activation": "activation",
    "batch_size": "batch",
    "dropout": "dropout",
    "epochs": "epoch",
    "lr": "learning rate",
    "model": "parameter",
    **dict.fromkeys(AUGMENTATIONS, "augmentation"),
    "seed": "seed",
}


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
            keep |= {"layers": config.layers} if config.layers else {}
            config = make_config(config.model, value, **keep) if value != NO_RECIPE else config
        elif name == "dataset" and config.model == CUSTOM:
            layers = with_classes(config.layers, dataset_spec(value).num_classes)
            config = config.replace(dataset=value, layers=layers)
        elif value is not None:
            config = config.replace(**{name: value})
    except InputError as error:
        st.session_state.complaints = [str(error)]
    show(config)


def show(config: RunConfig) -> None:
    """Shows another run; the one that was shown stays as a faint line.

    In place of a fine-tuned run it is the one that this comes from: it has these settings.
    """
    config = config.parent
    if config != st.session_state.train:
        st.session_state.train_left = st.session_state.train
    st.session_state.train = config


def control(
    widget: Widget, label: str, name: str, config: RunConfig, *, key: str = "", **options: Any
) -> None:
    """A widget that shows one field of the config and changes it."""
    key = key or f"control_{name}"
    st.session_state[key] = getattr(config, name)
    help = HELP.get(name) or RunConfig.metadata(name)["help"]
    help += see(TERMS[name]) if name in TERMS else ""
    widget(label, key=key, on_change=changed, args=(name, key), help=help, **options)


def controls(config: RunConfig, runs: list[Run]) -> None:
    """Everything that defines a run: the four main controls show all their stops."""
    stops("Data", "dataset", config, dataset_names(), dataset_title)
    title = functools.partial(glossed, dataset=config.dataset, runs=runs)
    control(st.selectbox, "Network", "model", config, options=model_names(), format_func=title)
    recipes(config)
    stops("Learning rate", "lr", config)
    with st.container(horizontal=True, gap="small"):
        stops("Batch", "batch_size", config)
        if config.model != CUSTOM:  # whose layers name theirs
            stops("Dropout", "dropout", config)
    if config.model != CUSTOM:
        stops("Activation", "activation", config, ACTIVATIONS, str)
    moving.switch()
    with st.expander("More settings", key="train_more_settings"):
        more_settings(config)


def stops(
    label: str,
    name: str,
    config: RunConfig,
    options: Sequence[Any] = (),
    words: Callable[[Any], str] | None = None,
) -> None:
    """A row of buttons, one for each value: those of the grid and the present one."""
    control(
        st.segmented_control,
        label,
        name,
        config,
        options=options or sorted({*AXES[name], getattr(config, name)}),
        format_func=words or stop,
        required=True,
        wrap=True,
    )


def stop(value: object) -> str:
    """A number in few characters: ".001", "64"."""
    return number(value).removeprefix("0") if value else "0"


def glossed(model: str, dataset: str, runs: list[Run]) -> str:
    """A network's name and what it is made of: "LeNet-5 · 2 convolutions, 62k parameters"."""
    if model == CUSTOM:
        return "Build your own"
    words = gloss(common.figures_of(make_config(model, dataset=dataset), runs))
    return f"{model_title(model)} · {words}" if words else model_title(model)


def recipes(config: RunConfig) -> None:
    """The named settings of the network; "Custom" where the present ones follow none."""
    recipe = recipe_of(config)
    names = [each.name for each in model_spec(config.model).recipes]
    st.session_state.control_recipe = recipe or NO_RECIPE
    st.selectbox(
        "Recipe",
        names if recipe else [*names, NO_RECIPE],
        key="control_recipe",
        format_func=recipe_label,
        on_change=changed,
        args=("recipe", "control_recipe"),
        help="A named set of all settings. Choosing one sets every control.",
    )


HELP = {
    "dataset": "The images to learn from.",
    "lr": "The size of each step. Too small: learning takes long. Too large: it never settles.",
    "batch_size": "Images per step. Small: noisy but many updates. Large: smooth but few, and "
    "needs a larger learning rate.",
    "dropout": "Share of units that are switched off at random in training, against overfitting.",
    "activation": "The function that each layer applies to its sums. Without its bend, many layers "
    "could do no more than one.",
}
OPTIONS = {"optimizer": OPTIMIZERS, "schedule": SCHEDULES}
MORE = {
    "epochs": "Epochs",
    "seed": "Seed",
    "lr": "Exact learning rate",
    "batch_size": "Exact batch size",
    "dropout": "Exact dropout",
    "optimizer": "Optimiser",
    "momentum": "Momentum",
    "weight_decay": "Weight decay",
    "schedule": "Schedule",
    "step_size": "Step size",
    "gamma": "Gamma",
    "patience": "Patience",
    "min_lr": "Lowest learning rate",
    "label_smoothing": "Label smoothing",
    "warmup": "Warm-up (epochs)",
    "ema": "Weight averaging",
    "rotation": "Rotation (degrees)",
    "shift": "Shift (pixels)",
    "zoom": "Zoom (share)",
    "shear": "Slant (degrees)",
    "elastic": "Elastic distortion",
    "flip": "Mirrored (share)",
    "cutout": "Cutout (pixels)",
}


def more_settings(config: RunConfig) -> None:
    """Every other field; those that the present choice ignores are greyed out."""
    used, column = config.used(), st.grid(2, min_column_width=100)
    for name, label in MORE.items():
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
