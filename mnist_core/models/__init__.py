"""Every network of the lab, its recipes and its stored figures.

A new network is a decorated function in a file that is imported here.
"""

from mnist_core.models import classics, fast, frontier, lenet, small, written
from mnist_core.models.naming import network_of, network_title
from mnist_core.models.registry import (
    check_config,
    create_model,
    create_model_for,
    make_config,
    model_names,
    model_spec,
    model_title,
    nearest_recipe,
    recipe_of,
    smallest_batch,
)

__all__ = [
    "check_config",
    "create_model",
    "create_model_for",
    "make_config",
    "model_names",
    "model_spec",
    "model_title",
    "nearest_recipe",
    "network_of",
    "network_title",
    "recipe_of",
    "smallest_batch",
]
