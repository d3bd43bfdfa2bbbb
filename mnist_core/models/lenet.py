"""LeNet-5: as near to 1998 as today's layers come, and with flexible settings.

Y. LeCun, L. Bottou, Y. Bengio, P. Haffner: Gradient-based learning applied to document
recognition. Proceedings of the IEEE 86(11), 1998.
"""

from mnist_core.models.registry import Recipe, register_model
from mnist_core.models.searched import searched
from mnist_core.models.shared import improved, named_stages

PADDED = {"input_size": 32, "fit": "pad", "scaling": "standard"}
RESIZED = {"input_size": 32, "fit": "resize", "scaling": "symmetric"}
SGD = RESIZED | {"activation": "ReLU", "optimizer": "SGD", "momentum": 0.9}


@register_model(
    "lenet5-1998",
    title="LeNet-5 (1998)",
    source="R0 · LeNet-5 as faithful to 1998 as PyTorch allows",
    recipes=(
        Recipe(
            "reference",
            "Adam, cut on a plateau of validation accuracy",
            PADDED
            | {"activation": "Tanh", "optimizer": "Adam", "lr": 1e-3, "batch_size": 64}
            | {"epochs": 50, "schedule": "plateau", "gamma": 0.1, "patience": 10},
            published={"MNIST": 98.72},
            selection="the test set served as the validation set",
        ),
    ),
)
def lenet5_1998(activation, dropout, num_classes):
    """Tanh, average pooling, and C5 as a convolution that sees the whole 32×32 image."""
    from torch import nn

    return {
        "c1": nn.Conv2d(1, 6, 5),
        "act1": activation(),
        "s2": nn.AvgPool2d(2),
        "c3": nn.Conv2d(6, 16, 5),
        "act3": activation(),
        "s4": nn.AvgPool2d(2),
        "c5": nn.Conv2d(16, 120, 5),
        "act5": activation(),
        "flatten": nn.Flatten(),
        "f6": nn.Linear(120, 84),
        "act6": activation(),
        "dropout": nn.Dropout(dropout),
        "output": nn.Linear(84, num_classes),
    }


@register_model(
    "lenet5",
    title="LeNet-5",
    source="R1 · LeNet-5 with flexible settings; R4 · the notebook tutorial",
    recipes=(
        Recipe(
            "reference",
            "SGD with momentum, SELU, 50 epochs",
            SGD
            | {"activation": "SELU", "lr": 0.01, "weight_decay": 5e-4}
            | {"batch_size": 256, "epochs": 50},
            published={"MNIST": 98.94, "FashionMNIST": 90.36, "KMNIST": 94.16, "QMNIST": 98.88},
            selection="best epoch on 10,000 validation images",
        ),
        Recipe(
            "grid",
            "3 epochs with SGD; on MNIST every setting of the sliders is there",
            SGD | {"lr": 0.01, "weight_decay": 5e-4, "batch_size": 64, "epochs": 3},
        ),
        Recipe(
            "tutorial",
            "the newcomer's path: ReLU, small steps, 5 epochs",
            SGD | {"lr": 0.001, "batch_size": 64, "epochs": 5},
            published={"MNIST": 98.0},
            selection="after the last epoch; no validation set",
        ),
        improved(0.003, epochs=80, **RESIZED, activation="SELU"),
        *searched("lenet5"),
    ),
)
def lenet5(activation, dropout, num_classes):
    """Max pooling, and dropout after both hidden linear layers."""
    from torch import nn

    return named_stages(
        [nn.Conv2d(1, 6, 5), activation(), nn.MaxPool2d(2)],
        [nn.Conv2d(6, 16, 5), activation(), nn.MaxPool2d(2)],
        [nn.Flatten()],
        [nn.Linear(400, 120), activation(), nn.Dropout(dropout)],
        [nn.Linear(120, 84), activation(), nn.Dropout(dropout)],
        [nn.Linear(84, num_classes)],
    )
