"""Everything the lab does without a browser: data, networks, training, measuring."""

__version__ = "0.1.0"
