"""RunConfig: the one description of a training run, its checks and its id. Loads without torch."""

import dataclasses
import functools
import hashlib
import json
from dataclasses import dataclass
from typing import Any

from mnist_core.dataset_specs import IMAGE_SIDE, dataset_names, dataset_spec
from mnist_core.errors import InputError
from mnist_core.layers.chain import check
from mnist_core.layers.kinds import LayersError
from mnist_core.layers.text import Words, parse, text_of
from mnist_core.rules import (
    Checked,
    Choice,
    LayersText,
    ModelName,
    Number,
    Switch,
    TuningText,
    Whole,
    option,
)
from mnist_core.tuning import Tuning

ACTIVATIONS = ("ReLU", "LeakyReLU", "PReLU", "RReLU", "ELU", "SELU", "Tanh")
OPTIMIZERS = ("SGD", "RMSprop", "Adam", "AdamW", "Adadelta")
SCHEDULES = ("constant", "step", "cosine", "one-cycle", "plateau")
DEVICES = ("auto", "cpu", "cuda")
ENGINES = ("auto", "torch", "native")
CUSTOM = "custom"  # the network whose layers are a field of the config


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
    zoom: float = option(0.0, Number(0, 0.5), "Random zoom, up to ± this share.", added=True)
    shear: float = option(0.0, Number(0, 45), "Random slant, up to ± so many degrees.", added=True)
    elastic: float = option(
        0.0, Number(0, 5), "Elastic distortion: how far pixels move, in pixels.", added=True
    )
    flip: float = option(0.0, Number(0, 1), "Share of images mirrored left to right.", added=True)
    cutout: int = option(0, Whole(0, 28), "Side of a black square, placed at random.", added=True)
    warmup: float = option(
        0.0, Number(0, 100), "Epochs over which the learning rate rises from zero.", added=True
    )
    ema: float = option(
        0.0,
        Number(0, 0.9999),
        "Weight averaging: the share of the running average kept at each step.",
        added=True,
    )
    tuning: str = option(
        "", TuningText(), "How the run was fine-tuned on drawings.", added=True, apart=True
    )

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

    @functools.cached_property
    def tuned(self) -> Tuning | None:
        """How the run of `parent` was fine-tuned to make this one; None for any other run."""
        return Tuning.parse(self.tuning) if self.tuning else None

    @property
    def parent(self) -> "RunConfig":
        """The config of the run that was fine-tuned; of any other run its own."""
        return self.replace(tuning="") if self.tuning else self

    @property
    def own_epochs(self) -> int:
        """The epochs that the run itself trains: a fine-tuned one those on its drawings."""
        return self.tuned.epochs if self.tuned else self.epochs

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
            "warmup": self.schedule == "one-cycle",  # which rises from a small rate by itself
            "fit": self.input_size == IMAGE_SIDE,
            "activation": self.model == CUSTOM,  # the layers name theirs
            "dropout": self.model == CUSTOM,
            "layers": self.model != CUSTOM,
            "tuning": not self.tuning,
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
