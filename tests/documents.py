"""Does what the documents tell a reader to write, and takes it back."""

import re
from contextlib import contextmanager
from dataclasses import fields
from pathlib import Path

from mnist_core.dataset_specs import dataset_names, register_dataset, unregister_dataset
from mnist_core.models.registry import model_names, register_model, unregister_model

ROOT = Path(__file__).parents[1]


def blocks_of(document, heading):
    """The Python blocks below this heading of a Markdown file of the project."""
    text = (ROOT / document).read_text(encoding="utf-8")
    section = text.split(f"\n## {heading}\n")[1].split("\n## ")[0]
    return re.findall(r"```python\n(.*?)```", section, re.DOTALL)


def code_of(document, heading):
    """The first Python block below this heading."""
    return blocks_of(document, heading)[0]


def _register_again(spec):
    options = {f.name: getattr(spec, f.name) for f in fields(spec) if f.name not in _POSITIONAL}
    register_model(spec.name, **options)(spec.build)


_POSITIONAL = ("name", "build")


@contextmanager
def _followed(code, names, unregister, register):
    """Runs the code, which registers one name; somebody may have followed the document already."""
    taken = [unregister(name) for name in names() if f'"{name}"' in code]
    before = names()
    exec(compile(code, "document", "exec"), {"__name__": "document"})
    (new,) = set(names()) - set(before)
    try:
        yield new
    finally:
        unregister(new)
        for spec in taken:
            register(spec)


def added_network(document):
    """A context with the network of "Add a network"; gives its name."""
    code = code_of(document, "Add a network")
    return _followed(code, model_names, unregister_model, _register_again)


def added_dataset(document):
    """A context with the data set of "Add a data set"; gives its name."""
    code = code_of(document, "Add a data set")
    return _followed(code, dataset_names, unregister_dataset, register_dataset)
