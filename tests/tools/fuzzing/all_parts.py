"""All parts, by name. A new module of parts is imported here."""

from tests.tools.fuzzing import (  # noqa: F401
    addresses,
    canvas,
    commands,
    configs,
    folders,
    own_data,
    pictures,
    studies,
    texts,
    watched,
)
from tests.tools.fuzzing.part import PARTS

__all__ = ["PARTS"]
