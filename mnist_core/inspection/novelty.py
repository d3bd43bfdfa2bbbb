"""How little an image looks like anything a network learned, judged from its hidden layers.

A small layer on top of the network's last layers tells the data set's images from pictures of
other things (see imaging.novel_images); it is fitted once, by inspection.novelty_fit, and kept in
a file of its own beside the weights. Its threshold turns away 1 % of the validation images.

Fitting against pictures that show something else is called outlier exposure: D. Hendrycks,
M. Mazeika, T. Dietterich: Deep anomaly detection with outlier exposure. ICLR 2019.

Loads without torch.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from safetensors.numpy import save as tensors_to_bytes

from mnist_core.errors import LabError
from mnist_core.evaluation.network import Network
from mnist_core.files import SMALL_FILE_LIMIT, read_file, tensors_of
from mnist_core.runs.run import Run

if TYPE_CHECKING:
    import torch
    from torch import nn

NAME = "novelty.safetensors"
LAYERS = 4  # so many of the last layers with weights are looked at: what goes into each
WIDEST = 256  # values of one layer; larger maps are averaged, larger vectors thinned out
BATCH = 250  # images
FARTHEST = 8.0  # standard deviations: what is farther away counts as this far


@dataclass(frozen=True, eq=False)
class Detector:
    """`mean` and `deviation`, (D,): the hidden values of the data set's images. Then one hidden
    layer, `weight` (D, H) and `bias` (H,), and `output` (H,); `threshold` is of its sum."""

    mean: np.ndarray
    deviation: np.ndarray
    weight: np.ndarray
    bias: np.ndarray
    output: np.ndarray
    threshold: float

    def scores(self, hidden: np.ndarray) -> np.ndarray:
        """(N, D) hidden values -> (N,), above 0 for what is turned away."""
        units = np.maximum(self.standardised(hidden) @ self.weight + self.bias, 0)
        return np.asarray(units @ self.output - self.threshold, np.float64)

    def standardised(self, hidden: np.ndarray) -> np.ndarray:
        return ((hidden - self.mean) / self.deviation).clip(-FARTHEST, FARTHEST)

    def novelty(self, network: Network, images: np.ndarray) -> np.ndarray:
        """(N, 28, 28) uint8 images -> (N,) from 0 to 1; above 0.5 it is nothing that was learned.

        Raises LabError where the detector was made for another network.
        """
        return self._novelty(network, hidden_values(network, images))

    def _novelty(self, network: Network, hidden: np.ndarray) -> np.ndarray:
        if hidden.shape[1] != len(self.mean):
            raise LabError(f"{network.run.path / NAME} belongs to another network.")
        return np.asarray(1 / (1 + np.exp(-self.scores(hidden))))

    def judge(self, network: Network, image: np.ndarray) -> tuple[np.ndarray, float]:
        """A (28, 28) uint8 image -> the network's (classes,) logits, and the novelty, in one pass.

        Raises LabError as `novelty` does.
        """
        values = layer_values(network, image[None])
        return values[-1][0], float(self._novelty(network, np.concatenate(values, axis=1))[0])

    def to_bytes(self, run: Run) -> bytes:
        """The content of its file. It names the weights that it belongs to."""
        digest = np.frombuffer(bytes.fromhex(run.summary.weights_sha256 or ""), np.uint8)
        return tensors_to_bytes(
            {
                "mean": self.mean.astype(np.float32),
                "deviation": self.deviation.astype(np.float32),
                "weight": np.ascontiguousarray(self.weight.astype(np.float16)),
                "bias": self.bias.astype(np.float32),
                "output": self.output.astype(np.float32),
                "threshold": np.array([self.threshold], np.float32),
                "weights_sha256": digest,
            }
        )


def known(novelty: float) -> bool:
    """Whether what has this novelty looks like something that was learned."""
    return novelty <= 0.5


def stored(run: Run) -> Detector | None:
    """What was fitted for these weights, if anything. Raises LabError for a damaged file."""
    path = run.path / NAME
    try:
        found = tensors_of(read_file(path, SMALL_FILE_LIMIT), f"{NAME} of {run.id}")
        digest = found["weights_sha256"].tobytes().hex()
        return _checked(found) if digest == run.summary.weights_sha256 else None
    except FileNotFoundError:
        return None
    except (OSError, KeyError, ValueError) as error:
        raise LabError(f"{path} is damaged ({error}); delete it and compute it again.") from error


def _checked(found: dict[str, np.ndarray]) -> Detector:
    """Raises KeyError or ValueError for anything but what `to_bytes` writes."""
    names = ("mean", "deviation", "weight", "bias", "output", "threshold")
    arrays = {name: found[name].astype(np.float32) for name in names}
    values, units = arrays["weight"].shape
    shapes = ((values,), (values,), (values, units), (units,), (units,), (1,))
    if any(arrays[name].shape != shape for name, shape in zip(names, shapes, strict=True)):
        raise ValueError("its shapes do not fit together")
    if not all(np.isfinite(array).all() for array in arrays.values()):
        raise ValueError("it holds more than finite numbers")
    if not (arrays["deviation"] > 0).all():
        raise ValueError("a deviation is not above 0")
    threshold = float(arrays.pop("threshold")[0])
    return Detector(**arrays, threshold=threshold)


def hidden_values(network: Network, images: np.ndarray) -> np.ndarray:
    """(N, 28, 28) uint8 images -> (N, D) float32: inputs of the last layers, and the logits."""
    return np.concatenate(layer_values(network, images), axis=1)


def layer_values(network: Network, images: np.ndarray) -> list[np.ndarray]:
    """(N, 28, 28) uint8 images -> (N, D) float32 for each of the last layers, what goes into it;
    then the logits. Maps are averaged, and wide layers thinned out, to WIDEST values."""
    import torch

    from mnist_core.data.transforms import normalise, resize
    from mnist_core.dataset_specs import dataset_spec

    config = network.run.config
    pixels = resize(torch.tensor(np.asarray(images)), config.input_size, config.fit)
    spec = dataset_spec(config.dataset)
    batches = [
        [_narrowed(value) for value in _layers(network, normalise(batch, spec, config.scaling))]
        for batch in pixels.split(BATCH)
    ]
    return [torch.cat(layer).float().numpy(force=True) for layer in zip(*batches, strict=True)]


def _layers(network: Network, batch: torch.Tensor) -> Iterator[torch.Tensor]:
    """What goes into each of the last LAYERS layers with weights, then the logits."""
    from torch import nn

    from mnist_core.inspection.stages import walk

    model = network.model
    if type(model) is nn.Sequential and not model.training:
        yield from _along_a_chain(model, batch)
        return
    stages = walk(model, batch.detach())
    layers = [s for s in stages if isinstance(s.module, nn.Linear | nn.Conv2d)]
    for stage in layers[-LAYERS:]:
        yield stage.args[0]
    yield stages[-1].value


def _along_a_chain(model: nn.Sequential, batch: torch.Tensor) -> Iterator[torch.Tensor]:
    """The same without a walk, which keeps every value and takes several times as long."""
    import torch
    from torch import nn

    modules = list(model._modules.values())  # named_children leaves repeated ones out
    heavy = [n for n, module in enumerate(modules) if isinstance(module, nn.Linear | nn.Conv2d)]
    value = batch
    for number, module in enumerate(modules):
        if number in heavy[-LAYERS:]:
            yield value.clone()  # a later module may work in place
        with torch.inference_mode():
            value = module(value)
    yield value


def _narrowed(value: torch.Tensor) -> torch.Tensor:
    """(N, …) -> (N, at most WIDEST or as many as there are channels)."""
    from torch.nn import functional

    if value.ndim == 4:
        channels, side = value.shape[1], value.shape[-1]
        allowed = max(1, int((WIDEST / channels) ** 0.5))
        if side > allowed:
            value = functional.adaptive_avg_pool2d(value, allowed)
    flat = value.flatten(1)
    return flat[:, :: -(-flat.shape[1] // WIDEST)]
