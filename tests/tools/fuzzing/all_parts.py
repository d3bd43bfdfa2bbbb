"""All parts, by name. A new module of parts is imported here."""

from tests.tools.fuzzing import addresses, canvas, configs, folders, pictures  # noqa: F401
from tests.tools.fuzzing.part import PARTS

__all__ = ["PARTS"]
