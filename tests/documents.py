"""Does what the documents tell a reader to write, and takes it back."""

import re
from contextlib import contextmanager
from pathlib import Path
from unittest.mock import patch

from mnist_core.dataset_specs import DATASETS
from mnist_core.models.registry import MODELS

ROOT = Path(__file__).parents[1]


def blocks_of(document, heading):
    """The Python blocks below this heading of a Markdown file of the project."""
    text = (ROOT / document).read_text(encoding="utf-8")
    section = text.split(f"\n## {heading}\n")[1].split("\n## ")[0]
    return re.findall(r"```python\n(.*?)```", section, re.DOTALL)


def code_of(document, heading):
    """The first Python block below this heading."""
    return blocks_of(document, heading)[0]


@contextmanager
def _followed(code, registry):
    """Runs the code, which registers one name; somebody may have followed the document already."""
    with patch.dict(registry):  # puts it back as it was
        for key, spec in list(registry.items()):
            if f'"{spec.name}"' in code:
                del registry[key]
        before = set(registry)
        exec(compile(code, "document", "exec"), {"__name__": "document"})
        (new,) = set(registry) - before
        yield registry[new].name


def added_network(document):
    """A context with the network of "Add a network"; gives its name."""
    code = code_of(document, "Add a network")
    return _followed(code, MODELS)


def added_dataset(document):
    """A context with the data set of "Add a data set"; gives its name."""
    code = code_of(document, "Add a data set")
    return _followed(code, DATASETS)
