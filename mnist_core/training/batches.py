"""How the images of an epoch are divided into steps. Loads without torch."""

from mnist_core.config import RunConfig
from mnist_core.errors import InputError
from mnist_core.models import smallest_batch


def batch_ends(config: RunConfig, images: int) -> list[int]:
    """How many of the epoch's `images` are behind each step: the last entry is all of them.

    A last batch that is too small for the network (see smallest_batch) joins the one
    before it. Raises InputError when all images together are too few.
    """
    smallest = smallest_batch(config)
    if images < smallest:
        raise InputError(
            f"dataset: {config.dataset} has {images} training images here; {config.model} takes "
            f"at least {smallest} in a step"
        )
    ends = list(range(config.batch_size, images, config.batch_size))
    if ends and images - ends[-1] < smallest:
        ends.pop()
    return [*ends, images]


def batch_sizes(config: RunConfig, images: int) -> list[int]:
    """How many images each step of an epoch takes. Raises like `batch_ends`."""
    ends = batch_ends(config, images)
    return [end - start for start, end in zip([0, *ends], ends, strict=False)]


def largest_batch(config: RunConfig) -> int:
    """The most images that a step can take, whatever their number."""
    return config.batch_size + smallest_batch(config) - 1
