"""Configs of every kind, for tests that take any, and images for them to train on."""

from hypothesis import strategies as st

from mnist_core.config import ACTIVATIONS, OPTIMIZERS, SCHEDULES
from mnist_core.dataset_specs import dataset_names, dataset_spec
from mnist_core.models import make_config, model_names
from mnist_core.tuning import Tuning

CONFIGS = st.builds(
    lambda model, lr, share, **fields: make_config(model, lr=lr, min_lr=share * lr, **fields),
    st.sampled_from(model_names()),
    dataset=st.sampled_from(dataset_names()),
    activation=st.sampled_from(ACTIVATIONS),
    optimizer=st.sampled_from(OPTIMIZERS),
    schedule=st.sampled_from(SCHEDULES),
    gamma=st.sampled_from((0.001, 0.5, 1)),
    patience=st.integers(0, 2),
    lr=st.floats(1e-6, 10),
    share=st.floats(0, 0.1),
    dropout=st.floats(0, 0.9),
    epochs=st.integers(1, 1000),
    seed=st.integers(0, 2**31 - 1),
    batch_size=st.one_of(st.integers(2, 12), st.integers(2, 10_000)),
    momentum=st.sampled_from((0, 0.9, 0.999)),
    weight_decay=st.sampled_from((0, 1)),
    label_smoothing=st.sampled_from((0, 0.9)),
    rotation=st.sampled_from((0, 180)),
    shift=st.sampled_from((0, 14)),
    zoom=st.sampled_from((0, 0.5)),
    shear=st.sampled_from((0, 45)),
    elastic=st.sampled_from((0, 5)),
    flip=st.sampled_from((0, 1)),
    cutout=st.sampled_from((0, 28)),
    warmup=st.sampled_from((0, 0.4, 100)),
    ema=st.sampled_from((0, 0.5, 0.9999)),
)


def fine_tuned(lr=0.001):
    """Of a run that was fine-tuned on 20 drawings."""
    return make_config("lenet5", tuning=str(Tuning("all", 20, "0" * 16, 3, lr, 7)))


def random_images(dataset, count):
    """A data set of so many random images, which are those for validation and testing, too."""
    import torch

    from mnist_core.data.datasets import Dataset, Split

    spec, draw = dataset_spec(dataset), torch.Generator().manual_seed(count)
    images = torch.randint(0, 256, (count, 28, 28), generator=draw, dtype=torch.uint8)
    split = Split(images, torch.randint(0, spec.num_classes, (count,), generator=draw))
    return Dataset(spec, split, split, split, "")
