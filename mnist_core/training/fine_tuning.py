"""Fine-tuning: a trained network learns some drawings without forgetting what it knew.

It is trained as it computes in evaluation mode: nothing is dropped at random, and batch
normalisation stays as it is, its statistics and its weights. A step takes DRAWINGS_A_STEP
drawings and, for each of them, some images of the data set that training had held out, all changed
at random as the run's config says. The optimiser is Adam, whose learning rate falls evenly to zero.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence

import numpy as np
import torch
from torch import nn

from mnist_core.config import Execution, RunConfig
from mnist_core.data.augment import augment
from mnist_core.data.transforms import resize
from mnist_core.engine.frozen import NORMS, frozen
from mnist_core.evaluation.metrics import Metrics, metrics
from mnist_core.evaluation.predict import load_model
from mnist_core.runs.run import Run
from mnist_core.training.engines import Engine, TorchEngine, choose_engine
from mnist_core.training.optim import take_plain_step
from mnist_core.training.results import Diverged
from mnist_core.training.setup import configure_torch
from mnist_core.training.trainer import epoch_seed, weights_to_bytes

DRAWINGS_A_STEP = 8
FOLDS = 10  # parts of the drawings, of which one after the other is left out

Images = tuple[torch.Tensor, torch.Tensor]  # (N, 1, S, S) uint8 pixels, (N,) int64 labels


class FineTuner:
    """A trained network, to be fine-tuned as often as wanted, each time from where it was.

    `mixed` are the images that it is not to forget, needed where the config mixes any in. It works
    on one thread of the CPU: then the bits are the same on all machines of a kind. `engine_note`
    says why the native engine could not be used, or is "". Raises LabError for a parent without
    weights.
    """

    def __init__(
        self, parent: Run, config: RunConfig, execution: Execution, mixed: Images | None = None
    ) -> None:
        if config.tuned is None:
            raise ValueError(f"{config.id} is no fine-tuned run")
        self.config, self.tuning, self.mixed = config, config.tuned, mixed
        self.execution = configure_torch(execution.replace(device="cpu", threads=1))
        self.model = load_model(parent)
        self.begin = {name: value.clone() for name, value in self.model.state_dict().items()}
        self.learning = learning_parameters(self.model, self.tuning.part)
        self.engine, self.engine_note = self._engine()
        self.execution = self.execution.replace(engine=self.engine.name)

    def _engine(self) -> tuple[Engine, str]:
        steps = self.config.replace(tuning="", batch_size=self.images_of_step)
        try:
            alike: nn.Module = frozen(self.model)
        except ValueError:  # no chain, which only torch computes
            alike = self.model
        engine, note = choose_engine(alike, steps, self.execution)
        return (engine if engine.name == "native" else TorchEngine(self.model, steps)), note

    @property
    def images_of_step(self) -> int:
        """Drawings, and what is mixed in; fewer in an epoch's last step."""
        return DRAWINGS_A_STEP * (1 + self.tuning.mixed)

    def pixels(self, images: np.ndarray) -> torch.Tensor:
        """(N, 28, 28) uint8 -> (N, 1, S, S) uint8, as the network takes them."""
        return resize(torch.tensor(images), self.config.input_size, self.config.fit)

    def steps(self, drawings: int) -> int:
        """How many steps it takes to learn so many drawings."""
        return self.tuning.epochs * -(-drawings // DRAWINGS_A_STEP)

    def restart(self) -> None:
        """The network as it was before."""
        self.model.load_state_dict(self.begin)

    def epochs(
        self, drawings: Images, on_step: Callable[[], None] = lambda: None
    ) -> Iterator[Metrics]:
        """Learns these drawings; yields, after each epoch, how its images were read in its steps.

        Raises Diverged, and whatever `on_step` raises.
        """
        self.restart()
        optimizer = torch.optim.Adam(self.learning, lr=self.tuning.lr)
        done, steps = 0, self.steps(len(drawings[1]))
        for epoch in range(1, self.tuning.epochs + 1):
            draws = epoch_seed(self.config.seed, epoch)
            torch.manual_seed(draws)
            seen = []
            for chosen in torch.split(torch.randperm(len(drawings[1])), DRAWINGS_A_STEP):
                pixels, labels = self._batch(drawings, chosen)
                optimizer.param_groups[0]["lr"] = self.tuning.lr * (1 - done / steps)
                done += 1
                loss, logits = self.engine.step(pixels, labels, seed=draws << 32 | done)
                if not math.isfinite(float(loss)):
                    raise Diverged("The loss was no longer finite; try a smaller learning rate.")
                take_plain_step(optimizer)
                seen.append((logits, labels))
                on_step()
            logits, labels = (torch.cat(part) for part in zip(*seen, strict=True))
            yield metrics(logits.numpy(force=True), labels.numpy())

    def _batch(self, drawings: Images, chosen: torch.Tensor) -> Images:
        """These drawings and the images that are mixed in, as the network is to see them."""
        pixels, labels = (part[chosen] for part in drawings)
        if self.tuning.mixed:
            assert self.mixed is not None
            others = torch.randint(len(self.mixed[1]), (self.tuning.mixed * len(chosen),))
            pixels, labels = (
                torch.cat([part, more[others]])
                for part, more in zip((pixels, labels), self.mixed, strict=True)
            )
        return augment(pixels, self.config), labels

    def read(self, pixels: torch.Tensor) -> np.ndarray:
        """(N, 1, S, S) uint8 -> (N, classes) float32 logits of the network as it is now."""
        return self.engine.logits(pixels).numpy(force=True)

    def weights(self) -> bytes:
        """As a safetensors file."""
        return weights_to_bytes(self.model)


def learning_parameters(model: nn.Module, part: str) -> list[nn.Parameter]:
    """The parameters that learn, of all layers or of the "last"; the others need no gradient."""
    layers = [layer for layer in model.modules() if not isinstance(layer, NORMS)]
    if part == "last":
        layers = [*filter(lambda layer: isinstance(layer, nn.Linear | nn.Conv2d), layers)][-1:]
    found = [each for layer in layers for each in layer.parameters(recurse=False)]
    model.requires_grad_(False)
    for parameter in found:
        parameter.requires_grad_(True)
    return found


def folds(labels: np.ndarray, hashes: Sequence[str], seed: int) -> np.ndarray:
    """(N,) the number of the part that each drawing is in, from 0: FOLDS parts, or as many as there
    are different `hashes` if that is less. Those of a class are spread evenly, and at random, over
    the parts; equal images are in the same one, so that none is both learned and left out."""
    first = {each: place for place, each in reversed([*enumerate(hashes)])}
    places, which = np.unique([first[each] for each in hashes], return_inverse=True)
    random = np.random.default_rng(seed)
    order = np.lexsort((random.permutation(len(places)), labels[places]))
    parts = np.empty(len(places), np.int64)
    parts[order] = np.arange(len(places)) % min(FOLDS, len(places))
    return parts[which]


def left_out_answers(
    tuner: FineTuner, drawings: Images, parts: np.ndarray, on_step: Callable[[], None]
) -> np.ndarray:
    """(N,) answers: those to each part are of a network that has learned all others."""
    answers = np.empty(len(parts), np.int64)
    for part in range(parts.max() + 1):
        out = torch.tensor(parts == part)
        for _ in tuner.epochs((drawings[0][~out], drawings[1][~out]), on_step):
            pass
        answers[parts == part] = tuner.read(drawings[0][out]).argmax(axis=1)
    return answers
