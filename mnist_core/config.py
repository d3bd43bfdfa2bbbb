"""RunConfig: the one description of a training run, its checks and its id. Loads without torch."""

import dataclasses
import functools
import hashlib
import json
import math
import re
import reprlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Self

from mnist_core.dataset_specs import IMAGE_SIDE, dataset_names, dataset_spec
from mnist_core.errors import InputError
from mnist_core.layers.chain import check
from mnist_core.layers.kinds import LayersError
from mnist_core.layers.text import LONGEST, Words, parse, text_of

ACTIVATIONS = ("ReLU", "LeakyReLU", "PReLU", "RReLU", "ELU", "SELU", "Tanh")
OPTIMIZERS = ("SGD", "RMSprop", "Adam", "AdamW", "Adadelta")
SCHEDULES = ("constant", "step", "cosine", "one-cycle", "plateau")
DEVICES = ("auto", "cpu", "cuda")
ENGINES = ("auto", "torch", "native")
CUSTOM = "custom"  # the network whose layers are a field of the config
MODEL_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,40}")


@dataclass(frozen=True)
class Choice:
    """Allowed: one of `options`, in any mixture of upper and lower case.

    A function where they are known only later: data sets can be registered at any time.
    """

    options: tuple[str, ...] | Callable[[], tuple[str, ...]]

    def _known(self) -> tuple[str, ...]:
        return self.options() if callable(self.options) else self.options

    @property
    def allowed(self) -> str:
        return "one of " + ", ".join(self._known())

    def check(self, value: Any) -> str:
        for option in self._known():
            if isinstance(value, str) and value.lower() == option.lower():
                return option
        raise ValueError


@dataclass(frozen=True)
class ModelName:
    """Allowed: anything in the form of a network's name; the registry knows which exist."""

    allowed: str = "a network's name in lower case (see: python -m mnist_core models)"

    def check(self, value: Any) -> str:
        if isinstance(value, str) and MODEL_NAME.fullmatch(value.lower()):
            return value.lower()
        raise ValueError


@dataclass(frozen=True)
class Whole:
    """Allowed: a whole number from `low` to `high`, or one of `only`."""

    low: int
    high: int
    only: tuple[int, ...] = ()

    @property
    def allowed(self) -> str:
        if self.only:
            return "one of " + ", ".join(map(str, self.only))
        return f"a whole number from {self.low} to {self.high}"

    def check(self, value: Any) -> int:
        if isinstance(value, str):
            value = float(value)
        if isinstance(value, bool) or not isinstance(value, (int, float)) or value != int(value):
            raise ValueError
        if not self.low <= value <= self.high or (self.only and value not in self.only):
            raise ValueError
        return int(value)


@dataclass(frozen=True)
class Number:
    """Allowed: a finite number from `low` to `high`."""

    low: float
    high: float

    @property
    def allowed(self) -> str:
        return f"a number from {self.low:g} to {self.high:g}"

    def check(self, value: Any) -> float:
        if isinstance(value, bool) or not isinstance(value, (str, int, float)):
            raise ValueError
        number = float(value)
        if not math.isfinite(number) or not self.low <= number <= self.high:
            raise ValueError
        return number + 0.0  # -0.0 and 0.0 are the same experiment, so one id


@dataclass(frozen=True)
class Switch:
    """Allowed: true or false. On the command line, naming the option makes it true."""

    allowed: str = "true or false"

    def check(self, value: Any) -> bool:
        if isinstance(value, bool):
            return value
        raise ValueError


@dataclass(frozen=True)
class LayersText:
    """Allowed: layers as layers.text reads them; RunConfig knows what they have to fit."""

    allowed: str = "layers such as conv 8 5x5, relu, pool 2, flatten, linear 10"

    def check(self, value: Any) -> str:
        if isinstance(value, str) and len(value) <= LONGEST:
            return value.strip()
        raise ValueError


Rule = Choice | ModelName | Whole | Number | Switch | LayersText


def check_value(name: str, value: Any, rule: Rule) -> Any:
    """The canonical form of a value, from a number or from text.

    Raises InputError that names the field, what was given and what is allowed.
    """
    try:
        return rule.check(value)
    except (ValueError, OverflowError):
        given = repr(value) if len(repr(value)) < 60 else repr(value)[:57] + "…"
        raise InputError(f"{name}: {given} was given; allowed is {rule.allowed}") from None


def option(default: Any, rule: Rule, help: str, *, added: bool = False) -> Any:
    """A dataclass field with its default, its rule, and one line of help for people.

    `added`: it came after runs had shipped, which were trained as its default says. Such a field
    is no part of the id while it has its default, so that those runs keep their ids.
    """
    return field(default=default, metadata={"rule": rule, "help": help, "added": added})


@dataclass(frozen=True)
class Checked:
    """Base of dataclasses whose fields are made with `option`.

    On construction every value is checked against its rule and put into its canonical form.
    """

    def __post_init__(self) -> None:
        for name in self.names():
            object.__setattr__(self, name, self.check(name, getattr(self, name)))

    @classmethod
    def names(cls) -> tuple[str, ...]:
        return tuple(cls._settings())

    @classmethod
    @functools.cache
    def _settings(cls) -> dict[str, Mapping[str, Any]]:
        return {f.name: f.metadata for f in dataclasses.fields(cls)}

    @classmethod
    def metadata(cls, name: str) -> Mapping[str, Any]:
        """The rule and the help of one field. Raises InputError for an unknown one."""
        if name not in cls._settings():
            given = name if str(name).isidentifier() else repr(name)
            raise InputError(f"{given}: no such field; there are {', '.join(cls.names())}")
        return cls._settings()[name]

    @classmethod
    def check(cls, name: str, value: Any) -> Any:
        """The canonical form of one field's value: see `check_value`."""
        return check_value(name, value, cls.metadata(name)["rule"])

    @classmethod
    def from_dict(cls, values: Any) -> Self:
        """From JSON's dictionary. Raises InputError for an unknown key or a bad value."""
        if not isinstance(values, dict):
            given = reprlib.repr(values)
            raise InputError(f"{cls.__name__}: an object with fields was expected, not {given}")
        for name in values:
            cls.metadata(name)
        return cls(**values)

    def to_dict(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in self.names()}

    def replace(self, **changes: Any) -> Self:
        """A copy with some fields changed; unknown ones and bad values raise InputError."""
        for name in changes:
            self.metadata(name)
        return dataclasses.replace(self, **changes)


@dataclass(frozen=True, kw_only=True)
class RunConfig(Checked):
    """Everything that defines a training run as an experiment."""

    dataset: str = option("MNIST", Choice(dataset_names), "The data set to train on.")
    model: str = option("lenet5", ModelName(), "The network to train.")
    activation: str = option("ReLU", Choice(ACTIVATIONS), "The non-linearity after each layer.")
    dropout: float = option(0.0, Number(0, 0.9), "Share of units dropped at random in training.")
    optimizer: str = option("SGD", Choice(OPTIMIZERS), "The rule that turns gradients into steps.")
    lr: float = option(0.01, Number(1e-6, 10), "Learning rate: the size of each step.")
    momentum: float = option(0.9, Number(0, 0.999), "Share of the last step that is carried on.")
    weight_decay: float = option(0.0, Number(0, 1), "How strongly weights are pulled to zero.")
    schedule: str = option("constant", Choice(SCHEDULES), "How the learning rate changes.")
    step_size: int = option(1, Whole(1, 1000), "Step: epochs between two cuts.")
    gamma: float = option(0.1, Number(0.001, 1), "Step and plateau: the factor of each cut.")
    patience: int = option(10, Whole(0, 1000), "Plateau: epochs without gain before a cut.")
    min_lr: float = option(0.0, Number(0, 1), "Cosine and plateau: the lowest learning rate.")
    label_smoothing: float = option(0.0, Number(0, 0.9), "Share of a label given to all classes.")
    rotation: float = option(0.0, Number(0, 180), "Random rotation, up to ± this many degrees.")
    shift: float = option(0.0, Number(0, 14), "Random shift, up to ± this many pixels.")
    epochs: int = option(5, Whole(1, 1000), "Passes over the training images.")
    batch_size: int = option(
        64,
        Whole(1, 10_000),
        "Images per step. A last single image joins the batch before it where the network's "
        "batch normalisation needs two.",
    )
    seed: int = option(1, Whole(0, 2**31 - 1), "Seed of all random choices.")
    input_size: int = option(
        IMAGE_SIDE, Whole(28, 32, (IMAGE_SIDE, 32)), "Side of the network's input, in pixels."
    )
    fit: str = option("pad", Choice(("pad", "resize")), "How an image of 28 pixels becomes 32.")
    scaling: str = option(
        "standard", Choice(("standard", "symmetric")), "Mean 0 and deviation 1, or -1 to 1."
    )

    layers: str = option("", LayersText(), "The layers of a network of your own.", added=True)

    def __post_init__(self) -> None:
        super().__post_init__()
        object.__setattr__(self, "layers", self._canonical_layers())
        if self.schedule in ("cosine", "plateau") and self.min_lr > self.lr:
            raise InputError(
                f"min_lr: {self.min_lr:g} was given; allowed is at most lr, which is {self.lr:g}"
            )

    def _canonical_layers(self) -> str:
        """The layers' canonical text, "" for a network that is not of one's own."""
        if self.model != CUSTOM:
            if self.layers:
                raise InputError(
                    f"layers: {self.model} has its own; leave them out, or take the model {CUSTOM}"
                )
            return ""
        classes = dataset_spec(self.dataset).num_classes
        try:
            layers = parse(self.layers, Words(classes, self.activation, self.dropout))
            check(layers, self.input_size, classes)
        except LayersError as error:
            raise InputError(f"layers: {error}") from error
        return text_of(layers)

    def __hash__(self) -> int:
        return hash(self.id)  # known already where a config is looked up again and again

    def used(self) -> dict[str, Any]:
        """The fields without those that the chosen optimiser, schedule or input size ignores."""
        unused = {
            "momentum": self.optimizer not in ("SGD", "RMSprop"),
            "step_size": self.schedule != "step",
            "gamma": self.schedule not in ("step", "plateau"),
            "patience": self.schedule != "plateau",
            "min_lr": self.schedule not in ("cosine", "plateau"),
            "fit": self.input_size == IMAGE_SIDE,
            "activation": self.model == CUSTOM,  # the layers name theirs
            "dropout": self.model == CUSTOM,
            "layers": self.model != CUSTOM,
        }
        return {k: v for k, v in self.to_dict().items() if not unused.get(k)}

    def identity(self) -> dict[str, Any]:
        """What the id is made of: the used fields, but added ones only if they were changed.

        A field that is ignored makes no new run when it changes.
        """
        defaults = self._added()
        return {k: v for k, v in self.used().items() if k not in defaults or v != defaults[k]}

    @classmethod
    @functools.cache
    def _added(cls) -> dict[str, Any]:
        """The fields that came later, with their defaults."""
        return {f.name: f.default for f in dataclasses.fields(cls) if f.metadata["added"]}

    @functools.cached_property
    def id(self) -> str:
        """`<dataset>-<model>-<first 10 hex digits of the identity's SHA-256>`, lower case."""
        return self._name(self.identity())

    @functools.cached_property
    def group(self) -> str:
        """The id without the seed: runs that differ only by seed share it."""
        return self._name({k: v for k, v in self.identity().items() if k != "seed"})

    def _name(self, identity: dict[str, Any]) -> str:
        text = json.dumps(identity, sort_keys=True, separators=(",", ":"))
        digest = hashlib.sha256(text.encode()).hexdigest()[:10]
        return f"{self.dataset}-{self.model}-{digest}".lower()


@dataclass(frozen=True, kw_only=True)
class Execution(Checked):
    """How a run is carried out: it is recorded with the run but is no part of its identity."""

    device: str = option("auto", Choice(DEVICES), "Where to compute; auto prefers a GPU.")
    threads: int = option(0, Whole(0, 256), "CPU threads; 0 chooses for machine and network.")
    engine: str = option(
        "auto", Choice(ENGINES), "What computes; auto prefers native code, compiled on first use."
    )
    echo_every: int = option(50, Whole(1, 100_000), "Steps between two reports of the loss.")
    snapshots: bool = option(
        False, Switch(), "Keep up to 20 snapshots: early steps and epochs, in half precision."
    )
