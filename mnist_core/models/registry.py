"""The registry of networks: names, sources and recipes. Loads without torch."""

from __future__ import annotations

import functools
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from mnist_core.config import CUSTOM, RunConfig
from mnist_core.dataset_specs import IMAGE_SIDE, dataset_spec
from mnist_core.errors import InputError
from mnist_core.layers import chain
from mnist_core.layers.text import parse
from mnist_core.rules import MODEL_NAME

if TYPE_CHECKING:
    from torch import nn

    Stages = Mapping[str, nn.Module]
    Activation = Callable[[], nn.Module]  # makes a fresh module
    Builder = Callable[..., Stages | nn.Module]


@dataclass(frozen=True)
class Recipe:
    """A named set of hyper-parameters, and the accuracy that was published for it.

    `fields` are RunConfig's. `published` maps a data set to test accuracy in per cent;
    `selection` says how the published epoch was chosen.
    """

    name: str
    title: str
    fields: Mapping[str, Any]
    published: Mapping[str, float] = field(default_factory=dict)
    selection: str = ""


@dataclass(frozen=True)
class ModelSpec:
    """One registered network. The first recipe is the reference's own and the default."""

    name: str
    title: str
    source: str
    recipes: tuple[Recipe, ...]
    build: Builder
    smallest_batch: int = 1
    layered: bool = False

    def recipe(self, name: str | None = None) -> Recipe:
        """The recipe of that name, or the default. Raises InputError for an unknown one."""
        for recipe in self.recipes:
            if name in (None, recipe.name):
                return recipe
        known = ", ".join(r.name for r in self.recipes)
        raise InputError(f"recipe: {name!r} was given; {self.name} has {known}")


MODELS: dict[str, ModelSpec] = {}  # by name, in order of registration


def register_model(
    name: str,
    *,
    source: str,
    recipes: tuple[Recipe, ...],
    title: str = "",
    smallest_batch: int = 1,
    layered: bool = False,
) -> Callable[[Builder], Builder]:
    """Decorator: adds a network under `name` to every page, command and test.

    The decorated builder takes (activation, dropout, num_classes): a function without arguments
    that makes a fresh activation module, the dropout rate, and the data set's number of classes.
    It returns the stages in order as a dictionary of modules, or an `nn.Module` where the network
    is not a chain. It imports torch inside, so that names and recipes load without torch.
    `smallest_batch`: how many images a training step needs at least; a smaller rest of an epoch's
    images joins the step before it. `layered`: the builder also takes the config's `layers` and
    `input_size`.

    Raises ValueError for a name that is malformed or taken, and without a recipe.
    """
    if not MODEL_NAME.fullmatch(name):
        raise ValueError(f"network name {name!r}: use lower-case letters, digits and dashes")
    if name in MODELS:
        raise ValueError(f"network name {name!r} is taken; choose another")
    if not recipes:
        raise ValueError(f"network {name!r} needs at least one recipe")

    def add(build: Builder) -> Builder:
        spec = ModelSpec(name, title or name, source, recipes, build, smallest_batch, layered)
        MODELS[name] = spec
        return build

    return add


def model_names() -> tuple[str, ...]:
    """All registered names, in order of registration."""
    return tuple(MODELS)


def model_spec(name: str) -> ModelSpec:
    """The registered network of that name. Raises InputError that lists the known ones."""
    spec = MODELS.get(name.lower()) if isinstance(name, str) else None
    if spec is None:
        raise InputError(f"model: {name!r} was given; allowed is one of {', '.join(MODELS)}")
    return spec


def model_title(name: str) -> str:
    """The name by which people know a network; an unknown one keeps its own."""
    return MODELS[name].title if name in MODELS else name


def make_config(model: str | None = None, recipe: str | None = None, **changes: Any) -> RunConfig:
    """A run's config: the network's recipe (by default its first) with some fields changed.

    Without a network it is LeNet-5, or one's own where layers are given.
    Raises InputError for an unknown network, recipe or field, or a value out of range.
    """
    spec = model_spec(model or (CUSTOM if changes.get("layers") else "lenet5"))
    fields = {**spec.recipe(recipe).fields, **changes}
    return check_config(RunConfig.from_dict({**fields, "model": spec.name}))


def check_config(config: RunConfig) -> RunConfig:
    """The same config.

    Raises InputError when its network is unknown, or takes images of another size or larger batches
    only.
    """
    spec = model_spec(config.model)
    sizes = {recipe.fields.get("input_size", IMAGE_SIDE) for recipe in spec.recipes}
    if config.input_size not in sizes and not spec.layered:
        allowed = " or ".join(map(str, sorted(sizes)))
        raise InputError(
            f"input_size: {config.input_size} was given; {spec.name} takes images of {allowed}"
        )
    least, most = smallest_batch(config), _most_images(config)
    if config.batch_size < least:
        raise InputError(
            f"batch_size: {config.batch_size} was given; {spec.name} takes at least {least}"
        )
    if config.batch_size > most:
        raise InputError(
            f"batch_size: {config.batch_size} was given; with these layers, memory allows {most}"
        )
    return config


def smallest_batch(config: RunConfig) -> int:
    """How many images a training step of the config's network needs."""
    spec = model_spec(config.model)
    return chain.smallest_batch(own_steps(config)) if spec.layered else spec.smallest_batch


def _most_images(config: RunConfig) -> int:
    """The most images of a training step; only networks of one's own have a limit."""
    layered = model_spec(config.model).layered
    return chain.most_images(own_steps(config)) if layered else config.batch_size


@functools.lru_cache(maxsize=1_000)
def own_steps(config: RunConfig) -> tuple[chain.Step, ...]:
    """What each layer of a network of one's own costs and sees."""
    return tuple(chain.trace(parse(config.layers), config.input_size))


def recipe_of(config: RunConfig) -> str | None:
    """The name of the recipe that this config follows, or None.

    A recipe is for any data set and seed, and of one's own network for any layers.
    """
    if config.model not in MODELS:
        return None
    recipe, changes = nearest_recipe(config)
    return recipe if changes.keys() <= {"seed", "layers"} else None


@functools.lru_cache(maxsize=20_000)
def nearest_recipe(config: RunConfig) -> tuple[str, Mapping[str, Any]]:
    """The network's recipe that shares most fields with this config, and the config's other fields.

    Recipes are for every data set, so that the data set is never among the other fields. Of
    equally near recipes the first is taken. Raises InputError for an unknown network.
    """
    own = config.used()
    changes = {
        recipe: {k: v for k, v in own.items() if fields.get(k) != v and k != "dataset"}
        for recipe, fields in _recipe_fields(config.model).items()
    }
    nearest = min(changes, key=lambda recipe: len(changes[recipe]))
    return nearest, MappingProxyType(changes[nearest])


@functools.cache
def _recipe_fields(model: str) -> dict[str, dict[str, Any]]:
    return {r.name: make_config(model, r.name).used() for r in model_spec(model).recipes}


def create_model(
    name: str,
    activation: str | None = None,
    dropout: float | None = None,
    num_classes: int | None = None,
) -> nn.Module:
    """A freshly initialised network: (N, 1, S, S) images in, (N, num_classes) logits out.

    What is not given is that of the network's first recipe; `num_classes` is its data set's. A
    chain comes as an `nn.Sequential` with named stages. Raises InputError for an unknown name or
    value.
    """
    from torch import nn

    spec = model_spec(name)
    default = make_config(spec.name)
    activation = RunConfig.check("activation", activation or default.activation)
    dropout = RunConfig.check("dropout", default.dropout if dropout is None else dropout)
    classes = dataset_spec(default.dataset).num_classes if num_classes is None else num_classes
    more = (
        {"layers": spec.recipe().fields["layers"], "input_size": default.input_size}
        if spec.layered
        else {}
    )
    return _chain(spec.build(getattr(nn, activation), dropout, classes, **more))


def _chain(stages: Stages | nn.Module) -> nn.Module:
    from torch import nn

    return stages if isinstance(stages, nn.Module) else nn.Sequential(OrderedDict(stages))


def create_model_for(config: RunConfig) -> nn.Module:
    """The freshly initialised network of a run's config, with its data set's number of classes."""
    from torch import nn

    spec, classes = model_spec(config.model), dataset_spec(config.dataset).num_classes
    more = {"layers": config.layers, "input_size": config.input_size} if spec.layered else {}
    activation = getattr(nn, config.activation)
    return _chain(spec.build(activation, config.dropout, classes, **more))
