"""The tasks that are timed, each in a process of its own that prints one line of JSON.

`python -m mnist_core.benchmarks.tasks NAME ARGUMENTS`, the arguments as a JSON object. Imports,
reading the data set and testing are never timed.
"""

import itertools
import json
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from torch import nn

from mnist_core.benchmarks.clock import clock
from mnist_core.benchmarks.peak import measured_peak, step_operations
from mnist_core.config import Execution, RunConfig
from mnist_core.data.datasets import Dataset, Split, load
from mnist_core.data.transforms import resize
from mnist_core.dataset_specs import dataset_spec
from mnist_core.engine.lowering import lowered, memory_format
from mnist_core.evaluation.predict import logits_of
from mnist_core.jobs.mailbox import Mailbox
from mnist_core.jobs.progress import Reporter
from mnist_core.models import create_model, create_model_for, make_config
from mnist_core.paths import data_root
from mnist_core.runs.states import RunState
from mnist_core.runs.store import RunStore
from mnist_core.runs.summary import Summary
from mnist_core.training.optim import make_optimizer
from mnist_core.training.setup import configure_torch
from mnist_core.training.trainer import Trainer

ALL = 60_000  # training images


def fast(seed: int, images: int = ALL, engine: str = "auto") -> dict[str, Any]:
    """The fast network by its recipe, on all training images, from uint8 tensors to weights."""
    config = make_config("fast", seed=seed)
    data = _first(load(config.dataset), images)
    with clock() as spent:
        trainer = Trainer(config, data, Execution(device="cpu", threads=1, engine=engine))
        for _ in range(config.epochs):
            trainer.train_epoch()
            trainer.epoch += 1
    return {**asdict(spent), "accuracy": _test_accuracy(trainer.model, config, data)}


def example(seeds: int, target: float, images: int = ALL) -> dict[str, Any]:
    """The stock pipeline, epoch by epoch, until the seeds' mean test accuracy is the target.

    For each seed its seconds so far; `accuracies` are the means after each epoch.
    """
    from mnist_core.benchmarks.stock import example_epochs

    config, data = make_config("pytorch-example"), load("MNIST")
    runs = [example_epochs(data_root(), seed, images) for seed in range(1, seeds + 1)]
    spent = [{"wall": 0.0, "cpu": 0.0} for _ in runs]
    accuracies: list[float] = []
    for epoch in zip(*runs, strict=True):
        found = []
        for total, (cost, model) in zip(spent, epoch, strict=True):
            total["wall"] += cost.wall
            total["cpu"] += cost.cpu
            found.append(_test_accuracy(model, config, data))
        accuracies.append(statistics.mean(found))
        if accuracies[-1] >= target:
            break
    return {"runs": spent, "accuracies": accuracies, "threads": torch.get_num_threads()}


def lenet5_stock(images: int) -> dict[str, Any]:
    from mnist_core.benchmarks.stock import lenet5_epoch

    spent = lenet5_epoch(data_root(), images)
    return {**asdict(spent), "threads": torch.get_num_threads()}


def epoch(
    model: str,
    images: int,
    threads: int = 0,
    runs: int = 1,
    wait: bool = False,
    engine: str = "auto",
) -> dict[str, Any]:
    """An epoch of the reference's recipe by the lab's loop, or one of each of several runs.

    With `wait`, it prints "ready" and begins when it reads a line. `began` and `ended` are
    times of day in seconds.
    """
    config = make_config(model)
    data = _first(load(config.dataset), images)
    execution = Execution(device="cpu", threads=threads, engine=engine)
    trainers = [Trainer(config.replace(seed=seed + 1), data, execution) for seed in range(runs)]
    if wait:
        print("ready", flush=True)
        sys.stdin.readline()
    began = time.time()
    with clock() as spent:
        for trainer in trainers:
            trainer.train_epoch()
    chosen = trainers[0].execution
    result = {"threads": chosen.threads, "engine": chosen.engine, "began": began}
    return {**asdict(spent), **result, "ended": time.time()}


def loops(model: str, threads: int, seconds: float, rounds: int) -> dict[str, Any]:
    """Microseconds an image: medians over rounds in which the loops alternate.

    `engine` is the lab's with torch, with its batches, figures and progress file; `bare` is only
    forward, backward and step on one batch; `plain` is the same with torch's own layers in its
    default memory format. Augmentation belongs to a recipe and is off.

    Where the native engine can compute the network, `native` is the lab's loop with it, `faster`
    how many times as fast as `engine` it is, and `peak` the fraction of the measured peak of so
    many cores that it reaches.
    """
    config = make_config(model)
    epochs = max(config.epochs, rounds)  # or the schedule would be over
    config = config.replace(rotation=0.0, shift=0.0, epochs=epochs)
    execution = configure_torch(Execution(device="cpu", threads=threads, engine="torch"))
    bare, plain = _bare_loop(config, True), _bare_loop(config, False)
    steps = max(3, round(seconds / _seconds_a_step(bare)))
    whole = _first(load(config.dataset), ALL)
    size = min(steps * config.batch_size, len(whole.train))
    steps = -(-size // config.batch_size)
    cut = _first(whole, size)
    with tempfile.TemporaryDirectory(prefix="mnist-lab-bench-") as folder:
        alternatives = {
            "engine": _lab_loop(Trainer(config, cut, execution), Path(folder)),
            "bare": lambda: bare(steps),
            "plain": lambda: plain(steps),
        }
        automatic = Trainer(config, cut, execution.replace(engine="auto"))
        if automatic.engine.name == "native":
            alternatives["native"] = _lab_loop(automatic, Path(folder) / "native")
        times: dict[str, list[float]] = {name: [] for name in alternatives}
        for _, (name, loop) in itertools.product(range(rounds), alternatives.items()):
            with clock() as spent:
                loop()
            times[name].append(spent.wall / size * 1e6)
    result = {name: statistics.median(values) for name, values in times.items()}
    result |= {"share": _ratio(times["bare"], times["engine"]), "threads": execution.threads}
    if "native" in times:
        result["faster"] = _ratio(times["engine"], times["native"])
        result["peak"] = _share_of_peak(config, result["native"], execution.threads)
    return result


def _ratio(numerators: list[float], denominators: list[float]) -> float:
    """The median over the rounds."""
    return statistics.median(a / b for a, b in zip(numerators, denominators, strict=True))


def _share_of_peak(config: RunConfig, microseconds: float, threads: int) -> float:
    """The fraction of the peak of `threads` cores at which a step takes so long an image."""
    shape = (1, config.input_size, config.input_size)
    operations = step_operations(create_model_for(config), shape)
    return operations / (microseconds * 1e-6) / (measured_peak() * threads)


def _bare_loop(config: RunConfig, tuned: bool) -> Callable[[int], None]:
    torch.manual_seed(config.seed)
    model = create_model(config.model).train()
    forward: Callable[[torch.Tensor], torch.Tensor] = model
    if tuned:
        model.to(memory_format=memory_format(model))
        forward = lowered(model)
    optimizer = make_optimizer(config, model, "cpu")
    loss_of = nn.CrossEntropyLoss(label_smoothing=config.label_smoothing)
    side = config.input_size
    images = torch.randn(config.batch_size, 1, side, side)
    labels = torch.randint(0, dataset_spec(config.dataset).num_classes, (config.batch_size,))

    def run(steps: int) -> None:
        for _ in range(steps):
            loss = loss_of(forward(images), labels)
            model.zero_grad()
            loss.backward()
            optimizer.step()

    return run


def _seconds_a_step(run: Callable[[int], None]) -> float:
    run(2)  # sets things up
    with clock() as spent:
        run(3)
    return spent.wall / 3


def _lab_loop(trainer: Trainer, folder: Path) -> Callable[[], Any]:
    """An epoch as a training process runs it, progress and requests included."""
    run = RunStore(folder).create(trainer.config, Summary(RunState.RUNNING))
    reporter = Reporter(trainer.config, Mailbox(run.folder))
    return lambda: trainer.train_epoch(reporter.on_step)


def _first(data: Dataset, images: int) -> Dataset:
    """A data set whose training images are the first of all there are; none is held out."""
    parts = data.train, data.validation
    pixels = torch.cat([part.images for part in parts])[:images]
    labels = torch.cat([part.labels for part in parts])[:images]
    none = Split(pixels[:0], labels[:0])
    return Dataset(data.spec, Split(pixels, labels), none, data.test, data.fingerprint)


def _test_accuracy(model: nn.Module, config: RunConfig, data: Dataset) -> float:
    pixels = resize(data.test.images, config.input_size, config.fit)
    right = logits_of(model, pixels, config).argmax(dim=1) == data.test.labels
    return float(right.double().mean())


TASKS = {task.__name__: task for task in (fast, example, lenet5_stock, epoch, loops)}

if __name__ == "__main__":
    print(json.dumps(TASKS[sys.argv[1]](**json.loads(sys.argv[2]))))
