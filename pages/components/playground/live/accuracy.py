"""The test accuracy of a network with parts switched off, when a visitor asks for it."""

from __future__ import annotations

import threading
from collections.abc import Hashable, Mapping
from typing import TYPE_CHECKING, Any

from mnist_core.data.idx import how_to_get, missing_files, read_part
from mnist_core.errors import LabError
from mnist_core.formatting import counted, percent, sentence
from mnist_core.paths import data_root
from mnist_core.runs.run import Run
from pages.components.playground.networks import network
from pages.components.shared.cache import cached, weights_of

if TYPE_CHECKING:
    from mnist_core.inspection.ablation import Ablation

_one_at_a_time = threading.Lock()


def accuracy(run: Run, asked: Any) -> str | None:
    """A sentence with what the browser asked for; None while that is nothing, or another run's."""
    if not isinstance(asked, Mapping) or asked.get("network") != run.id:
        return None
    dataset = run.config.dataset
    if missing_files(dataset, data_root()):
        return f"{dataset}'s images are not on this machine. {how_to_get(dataset, data_root())}"
    try:
        return _measured(run, asked)
    except (LabError, OSError) as error:
        return sentence(error)


def _measured(run: Run, asked: Mapping[str, Any]) -> str:
    from mnist_core.inspection.ablation import Ablation, checked_ablation
    from mnist_core.inspection.chain_data import chain_data

    ablation = checked_ablation(asked, chain_data(network(run).model, run.config.input_size))
    intact, count = measured(run, Ablation())
    words = f"Test accuracy on {count:,} images: {percent(intact, 2)} with all parts on"
    if ablation.channels or any(ablation.noise.values()):
        words += f", {percent(measured(run, ablation)[0], 2)} with {described(ablation)}"
    return f"{words}."


def described(ablation: Ablation) -> str:
    """Such as "3 channels silenced and noise in conv1"."""
    parts = [f"{counted(ablation.channels, 'channel')} silenced"] if ablation.channels else []
    noisy = [name for name, level in ablation.noise.items() if level]
    parts += [f"noise in {', '.join(noisy)}"] if noisy else []
    return " and ".join(parts)


def _parts(run: Run, ablation: Ablation) -> Hashable:
    return weights_of(run), repr(ablation)


@cached(_parts, spinner="Reading the test images …")
def measured(run: Run, ablation: Ablation) -> tuple[float, int]:
    """The accuracy on the test images, and their number."""
    import torch

    from mnist_core.data.transforms import resize
    from mnist_core.evaluation.metrics import metrics
    from mnist_core.evaluation.predict import logits_of
    from mnist_core.inspection.ablation import ablated
    from mnist_core.inspection.chain_data import chain_data

    config, model = run.config, network(run).model
    with _one_at_a_time:
        images, labels = read_part(config.dataset, data_root(), test=True)
        part = ablated(model, chain_data(model, config.input_size), ablation)
        pixels = resize(torch.tensor(images), config.input_size, config.fit)
        found = metrics(logits_of(part, pixels, config).numpy(), labels)
    return found.accuracy, found.count
