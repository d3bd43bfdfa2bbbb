"""Everything the lab does without a browser: data, networks, training, measuring."""

from mnist_core import data  # registers the data sets, whatever else is imported first

__all__ = ["data"]
__version__ = "0.1.0"
