"""What the measuring tools print for people."""

from collections.abc import Mapping
from typing import Any


def in_lines(result: Mapping[str, Any]) -> str:
    """A line for each figure, with spaces for underscores in its name."""
    return "\n".join(f"{name.replace('_', ' ')}: {value}" for name, value in result.items())
