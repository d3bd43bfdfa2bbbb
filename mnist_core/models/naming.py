"""What a config's network is called, and what tells it from others. Loads without torch."""

import functools

from mnist_core.config import CUSTOM, RunConfig
from mnist_core.dataset_specs import IMAGE_SIDE
from mnist_core.layers.short_name import short_name
from mnist_core.models.registry import model_title


def network_of(config: RunConfig) -> str:
    """The same for all configs of one network: a registered one's name, or the layers."""
    if config.model != CUSTOM:
        return config.model
    side = config.input_size
    return config.layers if side == IMAGE_SIDE else f"{config.layers} on {side}x{side}"


def network_title(config: RunConfig) -> str:
    """A registered network's title; of one's own "Own 8C5-P2-16C5-P2-10"."""
    if config.model != CUSTOM:
        return model_title(config.model)
    return f"Own {_short_name(config.layers)}"


@functools.lru_cache(maxsize=1_000)
def _short_name(layers: str) -> str:
    return short_name(layers)
