"""The baselines: PIL images, one by one through transforms and a DataLoader.

The public projects that the lab is compared with train like this. Networks and optimisers are the
lab's own, layer for layer those of the references; the input pipeline and the loop differ.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
from torch import nn
from torch.nn import functional as F
from torch.utils.data import DataLoader, Subset
from torchvision import transforms
from torchvision.datasets import MNIST

from mnist_core.benchmarks.clock import Spent, clock
from mnist_core.models import create_model, make_config

REPORT_EVERY = 10  # steps between two reports of the loss, as in the PyTorch example


def _pictures(root: Path, images: int, *steps: Any) -> Subset:
    """The first `images` of the training set, each transformed when it is read."""
    found = MNIST(str(root), train=True, transform=transforms.Compose(steps))
    return Subset(found, range(min(images, len(found))))


def _epoch(model: nn.Module, batches: DataLoader, optimizer: torch.optim.Optimizer) -> None:
    model.train()
    for step, (images, labels) in enumerate(batches):
        optimizer.zero_grad()
        loss = F.nll_loss(F.log_softmax(model(images), dim=1), labels)
        loss.backward()
        optimizer.step()
        if step % REPORT_EVERY == 0:
            loss.item()


def example_epochs(root: Path, seed: int, images: int) -> Iterator[tuple[Spent, nn.Module]]:
    """The PyTorch example's training: what each epoch cost, and the network after it."""
    torch.manual_seed(seed)
    config = make_config("pytorch-example")
    normalise = transforms.Normalize((0.1307,), (0.3081,))
    pictures = _pictures(root, images, transforms.ToTensor(), normalise)
    batches = DataLoader(pictures, batch_size=config.batch_size, shuffle=True)
    model = create_model(config.model)
    optimizer = torch.optim.Adadelta(model.parameters(), lr=config.lr)
    schedule = torch.optim.lr_scheduler.StepLR(optimizer, config.step_size, config.gamma)
    for _ in range(config.epochs):
        with clock() as spent:
            _epoch(model, batches, optimizer)
            schedule.step()
        yield spent, model


def lenet5_epoch(root: Path, images: int) -> Spent:
    """One epoch of LeNet-5 with flexible settings: resized to 32×32, batches of 256, SGD."""
    torch.manual_seed(1)
    config = make_config("lenet5")
    side = config.input_size
    steps = transforms.Resize((side, side)), transforms.ToTensor()
    pictures = _pictures(root, images, *steps, transforms.Normalize((0.5,), (0.5,)))
    batches = DataLoader(pictures, batch_size=config.batch_size, shuffle=True)
    model = create_model(config.model)
    optimizer = torch.optim.SGD(
        model.parameters(), lr=config.lr, momentum=config.momentum, weight_decay=config.weight_decay
    )
    with clock() as spent:
        _epoch(model, batches, optimizer)
    return spent
