"""Fits and keeps the measure of novelty of a run (see inspection.novelty)."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from mnist_core.data.datasets import load
from mnist_core.dataset_specs import dataset_spec
from mnist_core.evaluation.network import Network
from mnist_core.evaluation.predict import load_model
from mnist_core.imaging.novel_images import novel_images
from mnist_core.inspection.novelty import NAME, Detector, hidden_values, stored
from mnist_core.paths import data_root
from mnist_core.runs.run import Run

IMAGES = 30_000  # of the training set, and as many of something else
LOST = 0.01  # share of validation images that are turned away
UNITS = 64
EPOCHS, BATCH, RATE, DECAY = 12, 128, 0.004, 0.01
SEED = 1


def keep(run: Run, images: int = IMAGES) -> Detector:
    """Fits the run's detector and writes it beside the weights.

    Raises LabError without weights, or without the data set.
    """
    detector = fitted(Network(run, load_model(run)), images)
    run.folder.write_beside(NAME, detector.to_bytes(run))
    return detector


def keep_missing(runs: Iterable[Run]) -> Iterator[tuple[Run, Detector, bool]]:
    """Each run, its detector, and whether that was fitted now: one that is there stays as it is.

    Raises LabError like `keep`.
    """
    torch.set_num_threads(1)  # the same bits on every machine of a kind; training keeps the rest
    for run in runs:
        found = stored(run)
        yield run, found or keep(run), found is None


def fitted(network: Network, images: int = IMAGES) -> Detector:
    """A detector for this network, from so many training images, and all validation images."""
    own, others, validation = _pictures(network.run.config.dataset, data_root(), images)
    inside, outside = hidden_values(network, own), hidden_values(network, others)
    mean, deviation = inside.mean(0), inside.std(0) + 0.05 * inside.std() + 1e-6
    blank = Detector(mean, deviation, np.empty(0), np.empty(0), np.empty(0), 0.0)
    inputs = np.concatenate([blank.standardised(inside), blank.standardised(outside)])
    novel = np.repeat([0.0, 1.0], [len(inside), len(outside)])
    weight, bias, output = _train(torch.tensor(inputs).float(), torch.tensor(novel).float())
    rounded = weight.astype(np.float16).astype(np.float32)  # as the file has them
    return adapted(Detector(mean, deviation, rounded, bias, output, 0.0), network, validation)


def adapted(detector: Detector, network: Network, validation: np.ndarray) -> Detector:
    """The same with the threshold that turns away LOST of (N, 28, 28) uint8 validation images.

    For a network that has changed but a little since its detector was fitted, too.
    """
    scores = replace(detector, threshold=0.0).scores(hidden_values(network, validation))
    return replace(detector, threshold=float(np.quantile(scores, 1 - LOST)))


@functools.lru_cache(maxsize=1)  # the runs of a data set share them
def _pictures(dataset: str, root: Path, count: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(N, 28, 28) each: training images, pictures of other things, validation images."""
    data, random = load(dataset, root, download=False), np.random.default_rng(SEED)
    train = data.train.images.numpy()
    own = train[random.permutation(len(train))[:count]]
    others = novel_images(random, train, count, fill=dataset_spec(dataset).filled)
    return own, others, data.validation.images.numpy()


def _train(inputs: torch.Tensor, novel: torch.Tensor) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(N, D) and (N,) 0 or 1 -> weight (D, UNITS), bias and output (UNITS,)."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(SEED)
        model = nn.Sequential(
            nn.Linear(inputs.shape[1], UNITS), nn.ReLU(), nn.Linear(UNITS, 1, bias=False)
        )
        optimizer = torch.optim.AdamW(model.parameters(), RATE, weight_decay=DECAY)
        steps = EPOCHS * -(-len(inputs) // BATCH)
        schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, RATE, steps)
        for _ in range(EPOCHS):
            for places in torch.randperm(len(inputs)).split(BATCH):
                optimizer.zero_grad()
                found = model(inputs[places])[:, 0]
                functional.binary_cross_entropy_with_logits(found, novel[places]).backward()
                optimizer.step()
                schedule.step()
    weight, bias, output = (p.detach().numpy() for p in model.parameters())
    return weight.T.copy(), bias.copy(), output[0].copy()
