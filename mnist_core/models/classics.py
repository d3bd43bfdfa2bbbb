"""Five designs after the classics, and the PyTorch example that is their ancestor."""

import functools
from typing import Any

from mnist_core.models.registry import Recipe, register_model
from mnist_core.models.shared import improved, named_stages

register = functools.partial(register_model, source="R2 · Five designs after the classics")


def recipes(
    published: float, selection: str, better_lr: float, dropout: float = 0.0
) -> tuple[Recipe, ...]:
    """The reference's recipe, which all five share but for the dropout rate, and the better one."""
    own: dict[str, Any] = {"activation": "ReLU", "dropout": dropout}
    fields: dict[str, Any] = {"optimizer": "Adam", "lr": 0.01, "schedule": "cosine", "min_lr": 1e-5}
    fields |= {"epochs": 20, "batch_size": 64, **own}
    title = "Adam at .01, cosine annealing over 20 epochs"
    reference = Recipe("reference", title, fields, {"MNIST": published}, selection)
    return reference, improved(better_lr, **own)


LAST_EPOCH = "the last epoch; the test set served as the validation set"
NOT_KNOWN = "not known; the test set served as the validation set"


@register("lenet", title="LeNet (R2)", recipes=recipes(98.91, NOT_KNOWN, 0.003))
def lenet(activation, dropout, num_classes):
    """LeNet on 28×28 images, without padding."""
    from torch import nn

    return named_stages(
        [nn.Conv2d(1, 6, 5), activation(), nn.MaxPool2d(2)],
        [nn.Conv2d(6, 16, 5), activation(), nn.MaxPool2d(2)],
        [nn.Flatten()],
        [nn.Linear(256, 120), activation()],
        [nn.Linear(120, 84), activation()],
        [nn.Dropout(dropout), nn.Linear(84, num_classes)],
    )


@register("myfullconvnet", title="MyFullConvNet", recipes=recipes(98.06, NOT_KNOWN, 0.003))
def myfullconvnet(activation, dropout, num_classes):
    """Convolutions down to a single position; the last two without an activation between."""
    from torch import nn

    return named_stages(
        [nn.Conv2d(1, 6, 3), activation()],
        [nn.Conv2d(6, 12, 3), activation(), nn.MaxPool2d(2)],
        [nn.Conv2d(12, 24, 3), activation()],
        [nn.Conv2d(24, 48, 3), activation(), nn.MaxPool2d(2)],
        [nn.Conv2d(48, 96, 3), nn.Conv2d(96, 48, 2)],
        [nn.Flatten(), nn.Dropout(dropout), nn.Linear(48, num_classes)],
    )


@register("mynetv1", title="MyNetV1", recipes=recipes(99.19, LAST_EPOCH, 0.001, dropout=0.5))
def mynetv1(activation, dropout, num_classes):
    """Wide, with strides in place of pooling; nine million parameters."""
    from torch import nn

    return named_stages(
        [nn.Conv2d(1, 10, 3), activation()],
        [nn.Conv2d(10, 48, 3, stride=2), activation()],
        [nn.Conv2d(48, 128, 3), activation()],
        [nn.Conv2d(128, 512, 3, stride=2), activation()],
        [nn.Dropout(dropout), nn.Flatten()],
        [nn.Linear(8192, 1024), activation(), nn.Dropout(dropout)],
        [nn.Linear(1024, 128), activation()],
        [nn.Linear(128, num_classes)],
    )


@register("mynetv2", title="MyNetV2", recipes=recipes(98.81, LAST_EPOCH, 0.003, dropout=0.5))
def mynetv2(activation, dropout, num_classes):
    """The lean sibling of MyNetV1."""
    from torch import nn

    return named_stages(
        [nn.Conv2d(1, 10, 3), activation()],
        [nn.Conv2d(10, 20, 3, stride=2), activation()],
        [nn.Conv2d(20, 40, 3), activation()],
        [nn.Conv2d(40, 80, 3, stride=2), activation()],
        [nn.Conv2d(80, 40, 3), activation()],
        [nn.Dropout(dropout), nn.Flatten()],
        [nn.Linear(160, 48), activation()],
        [nn.Linear(48, num_classes)],
    )


@register("myvggnet", title="MyVggNet", recipes=recipes(99.27, NOT_KNOWN, 0.001, dropout=0.5))
def myvggnet(activation, dropout, num_classes):
    """VGG's pairs of 3×3 convolutions, with one 1×1 between."""
    from torch import nn

    return named_stages(
        [nn.Conv2d(1, 16, 3, padding=1), activation()],
        [nn.Conv2d(16, 16, 3, padding=1), activation(), nn.MaxPool2d(2)],
        [nn.Conv2d(16, 64, 3), activation()],
        [nn.Conv2d(64, 64, 3), activation()],
        [nn.Conv2d(64, 64, 1), activation(), nn.MaxPool2d(2)],
        [nn.Conv2d(64, 128, 3), activation()],
        [nn.Conv2d(128, 128, 3), activation()],
        [nn.Dropout(dropout), nn.Flatten()],
        [nn.Linear(128, 96), activation()],
        [nn.Linear(96, num_classes)],
    )


@register_model(
    "pytorch-example",
    title="PyTorch example",
    source="The PyTorch project's MNIST example, ancestor of R2's designs",
    recipes=(
        Recipe(
            "reference",
            "Adadelta at 1, cut by .7 after each epoch",
            {"optimizer": "Adadelta", "lr": 1.0, "schedule": "step", "step_size": 1}
            | {"gamma": 0.7, "batch_size": 64, "epochs": 14, "activation": "ReLU", "dropout": 0.5},
        ),
    ),
)
def pytorch_example(activation, dropout, num_classes):
    """Two convolutions and a wide linear layer; after the pooling, half the dropout rate."""
    from torch import nn

    return named_stages(
        [nn.Conv2d(1, 32, 3), activation()],
        [nn.Conv2d(32, 64, 3), activation(), nn.MaxPool2d(2)],
        [nn.Dropout(dropout / 2), nn.Flatten()],
        [nn.Linear(9216, 128), activation(), nn.Dropout(dropout)],
        [nn.Linear(128, num_classes)],
    )
