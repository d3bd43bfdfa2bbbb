"""The training loop, and the state from which it can be resumed."""

import math
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import asdict
from typing import Any

import numpy as np
import torch
from safetensors.torch import save as tensors_to_bytes
from torch import nn
from torch.nn import functional as F

from mnist_core.config import Execution, RunConfig
from mnist_core.data.augment import augment
from mnist_core.data.datasets import Dataset, Split
from mnist_core.dataset_specs import IMAGE_SHAPE, dataset_spec
from mnist_core.engine.lowering import memory_format
from mnist_core.errors import InputError
from mnist_core.evaluation.metrics import Metrics, metrics
from mnist_core.models import create_model_for
from mnist_core.training.averaging import WeightAverage
from mnist_core.training.batches import batch_ends, batch_sizes
from mnist_core.training.engines import choose_engine
from mnist_core.training.optim import Schedule, load_optimizer_state, make_optimizer
from mnist_core.training.partial import Loss, PartialEpoch, random_states, read_partial
from mnist_core.training.results import Diverged, EpochResult, OnStep, Step
from mnist_core.training.setup import configure_torch


class Trainer:
    """A network in training: everything that the next epoch depends on.

    All that is random in an epoch follows from (seed, epoch), so between epochs no generator's
    state has to be kept: a resumed run draws what an uninterrupted one would have drawn. When
    `on_step` raises, `partial` is the epoch as it stands then; the next call goes on from there.

    Where the config averages weights, the average is what is validated and kept; see `averaged`.

    `execution` becomes what was chosen. `engine_note` says why the native engine could not be
    used, or is "". Raises InputError for a device, an engine or an input size that cannot be.
    """

    def __init__(self, config: RunConfig, dataset: Dataset, execution: Execution) -> None:
        self.config = config
        self.execution = configure_torch(execution, config)
        device = self.execution.device
        torch.manual_seed(config.seed)
        self.model = create_model_for(config)
        check_input_size(self.model, config)
        self.model.to(device).to(memory_format=memory_format(self.model))
        self.engine, self.engine_note = choose_engine(self.model, config, self.execution)
        self.execution = self.execution.replace(engine=self.engine.name)
        self.train = self._on_device(dataset.train)
        self.validation = self._on_device(dataset.validation)
        self.validation_labels = dataset.validation.labels.numpy(force=True)
        self.batch_sizes = batch_sizes(config, len(dataset.train))
        self.steps = len(self.batch_sizes)
        self.optimizer = make_optimizer(config, self.model, device)
        self.schedule = Schedule(config, self.optimizer, self.steps)
        self.average = WeightAverage(self.model, config.ema) if config.ema else None
        self.epoch = 0
        self.best: EpochResult | None = None
        self.partial: PartialEpoch | None = None
        self.step_losses: list[Loss] = []

    def _on_device(self, split: Split) -> tuple[torch.Tensor, torch.Tensor]:
        pixels = split.pixels(self.config.input_size, self.config.fit)
        return pixels.to(self.execution.device), split.labels.to(self.execution.device)

    def averaged(self) -> AbstractContextManager[None]:
        """For the time of a `with`, `model` has the weights that are kept: the average, if any."""
        return self.average.applied() if self.average else nullcontext()

    def weights(self) -> bytes:
        """The weights that are kept, as a safetensors file."""
        with self.averaged():
            return weights_to_bytes(self.model)

    @property
    def steps_done(self) -> int:
        """Steps behind it, in all epochs."""
        return self.epoch * self.steps + (self.partial.step if self.partial else 0)

    def run_epoch(self, on_step: OnStep | None = None) -> EpochResult:
        """Trains one epoch and validates. Raises Diverged, and whatever `on_step` raises."""
        start = self._start()
        began, lr = time.perf_counter() - start.seconds, start.lr
        training = self.train_epoch(on_step)
        speed = training.count / (time.perf_counter() - began)
        with self.averaged():
            logits = self.engine.logits(self.validation[0])
        validation = metrics(logits.numpy(force=True), self.validation_labels)
        if not math.isfinite(validation.loss):
            raise self._diverged(lr)
        self.epoch += 1
        self.schedule.after_epoch(validation.accuracy)
        result = EpochResult(
            epoch=self.epoch,
            train_loss=training.loss,
            train_accuracy=training.accuracy,
            train_top5=training.top5,
            validation_loss=validation.loss,
            validation_accuracy=validation.accuracy,
            validation_top5=validation.top5,
            lr=lr,
            seconds=time.perf_counter() - began,
            images_per_second=speed,
        )
        if self.best is None or result.validation_accuracy > self.best.validation_accuracy:
            self.best = result
        return result

    def train_epoch(self, on_step: OnStep | None = None) -> Metrics:
        """Trains one epoch, which counts only once `run_epoch` has validated it.

        Returns the metrics of the training images as they were when each was trained on. Raises
        what `run_epoch` does.
        """
        labels = self.train[1]
        start, epoch = self._start(), self.epoch + 1
        draws = epoch_seed(self.config.seed, epoch)
        torch.manual_seed(draws)
        order = torch.randperm(len(labels)).to(labels.device)
        self.model.train()
        self.partial, self.step_losses, seen = None, list(start.losses), list(start.logits)
        start.restore_random_state()
        began = time.perf_counter() - start.seconds
        batches = torch.split(order, self.batch_sizes)[start.step :]
        for step, index in enumerate(batches, start=start.step + 1):
            loss, logits = self._step(index, step, seed=draws << 32 | step)
            seen.append(logits)
            value = self._reported(loss, step, start.lr)
            if on_step is None:
                continue
            seconds = time.perf_counter() - began
            speed = step * self.config.batch_size / seconds
            try:
                on_step(Step(epoch, step, self.steps, speed, value))
            except Exception:
                random = random_states(self.execution.device)
                losses = self.step_losses
                self.partial = PartialEpoch(start.lr, step, seen, losses, seconds, random)
                raise
        result = self._totals(torch.cat(seen), labels[order])
        if not math.isfinite(result.loss):
            raise self._diverged(start.lr)
        return result

    def _step(
        self, index: torch.Tensor, step: int, seed: int
    ) -> tuple[torch.Tensor | float, torch.Tensor]:
        """The epoch's `step`-th, on the images with these numbers; their loss and logits before."""
        pixels, labels = self.train
        batch = pixels.index_select(0, index)  # copies whole images; indexing copies pixels
        batch = augment(batch, self.config)
        loss, logits = self.engine.step(batch, labels.index_select(0, index), seed=seed)
        self.schedule.take_step(self.epoch * self.steps + step - 1)
        if self.average:
            self.average.update()
        return loss, logits

    def _reported(self, loss: torch.Tensor | float, step: int, lr: float) -> float | None:
        """The loss of a step whose loss is kept, else None: reading each one would cost time."""
        if step % self.execution.echo_every and step != self.steps:
            return None
        value = float(loss)
        if not math.isfinite(value):
            raise self._diverged(lr)
        self.step_losses.append((self.epoch + 1, step, value))
        return value

    def _start(self) -> PartialEpoch:
        """What the next epoch starts from: its first step, or where it was left."""
        return self.partial or PartialEpoch(self.schedule.lr(self.steps_done))

    def _totals(self, logits: torch.Tensor, labels: torch.Tensor) -> Metrics:
        """(N, classes) logits as they were in training and (N,) labels -> loss and accuracies."""
        smoothing = self.config.label_smoothing
        losses = F.cross_entropy(logits, labels, reduction="none", label_smoothing=smoothing)
        hits = logits.topk(min(5, logits.shape[1])).indices == labels[:, None]
        loss, accuracy, top5 = (
            float(part.double().mean()) for part in (losses, hits[:, 0], hits.any(dim=1))
        )
        return Metrics(loss, accuracy, top5, len(labels))

    def _diverged(self, lr: float) -> Diverged:
        return Diverged(
            f"The loss was no longer finite in epoch {self.epoch + 1} at learning rate {lr:g}; "
            "a smaller learning rate is the first thing to try."
        )

    def state(self) -> dict[str, Any]:
        """What `load_state` needs to go on from here."""
        partial = {"partial": self.partial.to_dict()} if self.partial else {}
        average = {"average": self.average.state()} if self.average else {}
        return {
            "epoch": self.epoch,
            "model": self.model.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "schedule": self.schedule.scheduler.state_dict(),
            "best": asdict(self.best) if self.best else None,
            **average,
            **partial,
        }

    def load_state(self, state: dict[str, Any]) -> None:
        """Goes on from `state()` of a run with the same config (or a shorter one).

        Raises ValueError, KeyError, TypeError or RuntimeError for anything else. Nothing may
        reach a step unchecked: torch's fused kernels trust the shapes they are given.
        """
        epoch, partial = state["epoch"], self._read_partial(state)
        last = self.config.epochs - (1 if partial else 0)
        if type(epoch) is not int or not (0 if partial else 1) <= epoch <= last:
            raise ValueError(f"epoch {epoch!r} of {self.config.epochs}")
        load_optimizer_state(self.optimizer, state["optimizer"])
        self.epoch, self.partial = epoch, partial
        self.model.load_state_dict(state["model"])
        if self.average:
            self.average.load_state(state["average"], self.steps_done)
        self.schedule.scheduler.load_state_dict(state["schedule"])
        self.best = EpochResult.from_dict(state["best"]) if epoch else None

    def _read_partial(self, state: dict[str, Any]) -> PartialEpoch | None:
        """Of a run that was paused within an epoch."""
        if "partial" not in state:
            return None
        return read_partial(
            state["partial"],
            epoch=state["epoch"] + 1,
            steps=self.steps,
            images=[0, *batch_ends(self.config, len(self.train[1]))],
            classes=dataset_spec(self.config.dataset).num_classes,
            device=self.execution.device,
        )


def train(trainer: Trainer, on_step: OnStep | None = None) -> Iterator[EpochResult]:
    """Yields one result per epoch until the config's epochs are done.

    Not asking for the next result is a pause, as is an exception from `on_step`;
    `trainer.state()` is then enough to go on in another process.
    """
    while trainer.epoch < trainer.config.epochs:
        yield trainer.run_epoch(on_step)


def epoch_seed(seed: int, epoch: int) -> int:
    """A seed for the random draws of one epoch, 32 bits wide.

    torch's generator for the CPU looks at the lower 32 bits only, so these must differ.
    """
    return int(np.random.SeedSequence([seed, epoch]).generate_state(1)[0])


def weights_to_bytes(model: nn.Module) -> bytes:
    """The state dictionary as a safetensors file: equal weights give equal bytes."""
    state = model.state_dict()
    return tensors_to_bytes({k: v.cpu().contiguous() for k, v in state.items()})


def check_input_size(model: nn.Module, config: RunConfig) -> None:
    """Raises InputError when the network cannot take images of the config's size."""
    side = config.input_size
    training = model.training
    try:
        with torch.no_grad():
            shape = model.eval()(torch.zeros(1, IMAGE_SHAPE[0], side, side)).shape
    except RuntimeError as error:
        raise InputError(
            f"input_size: {side} was given, which does not fit {config.model} ({error})"
        ) from error
    expected = (1, dataset_spec(config.dataset).num_classes)
    if tuple(shape) != expected:
        raise InputError(f"model: {config.model} gives {tuple(shape)} instead of {expected} logits")
    model.train(training)
