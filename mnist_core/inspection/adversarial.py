"""Adversarial images by the fast gradient sign method.

I. J. Goodfellow, J. Shlens, C. Szegedy: Explaining and harnessing adversarial examples, ICLR 2015.
Every pixel changes by ε grey levels (of 0 to 255) in the direction that raises the loss of the
current answer.
"""

from dataclasses import dataclass, replace

import numpy as np
import torch

from mnist_core.data.transforms import to_input
from mnist_core.evaluation.network import Network, one_thread

LARGEST = 128  # grey levels: half of the scale; beyond it little is left of the image
AT_ONCE = 16  # images in one batch; LARGEST is a multiple of it


@dataclass(frozen=True, eq=False)
class Attack:
    """The direction in which each pixel changes, (28, 28) of -1, 0 and 1, away from class `label`.

    `smallest` is the smallest whole ε up to LARGEST that changes the answer, None if none does.
    """

    image: np.ndarray
    direction: np.ndarray
    label: int
    smallest: int | None

    def result(self, epsilon: int) -> np.ndarray:
        """(28, 28) uint8: each pixel ε grey levels along its direction, cut to 0..255."""
        changed = self.image.astype(np.int16) + epsilon * self.direction
        return changed.clip(0, 255).astype(np.uint8)

    def change(self, epsilon: int) -> np.ndarray:
        """(28, 28) int16: what each pixel gains; less than ε where black or white is reached."""
        return self.result(epsilon).astype(np.int16) - self.image


def attack(network: Network, image: np.ndarray) -> Attack:
    """The change of one (28, 28) uint8 image that changes the network's answer.

    Every whole ε is tried, from 1 up: an answer can change at a small ε and change back at a
    larger one.
    """
    one_thread()
    label = int(network.logits(image[None])[0].argmax())
    found = Attack(image, _direction(network, image, label), label, None)
    for first in range(1, LARGEST, AT_ONCE):
        images = np.stack([found.result(first + more) for more in range(AT_ONCE)])
        other = np.flatnonzero(network.logits(images).argmax(1) != label)
        if len(other):
            return replace(found, smallest=first + int(other[0]))
    return found


def _direction(network: Network, image: np.ndarray, label: int) -> np.ndarray:
    """(28, 28) int16: the sign of the gradient of the loss.

    Single precision rounds the loss of a very confident answer to zero, and its gradient with it.
    The loss is log(1 + exp(m)), with m = log-sum-exp of the other logits minus the answer's logit,
    and grows with m: the gradient of m has the same sign everywhere, and does not vanish.
    """
    pixels = torch.tensor(image, dtype=torch.float32)[None].requires_grad_()
    logits = network.model(to_input(pixels, network.run.config))
    own = torch.arange(logits.shape[1]) == label
    margin = torch.logsumexp(logits[:, ~own], 1) - logits[:, label]
    slope = torch.autograd.grad(margin.sum(), pixels)[0][0]
    return torch.sign(slope).numpy().astype(np.int16)
