"""What is known of each data set without its files: its name, its classes, its statistics."""

import re
import unicodedata
from dataclasses import dataclass

from mnist_core.errors import InputError

IMAGE_SHAPE = (1, 28, 28)  # channels, height and width of every image, in every data set
IMAGE_SIDE = IMAGE_SHAPE[-1]
DATASET_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]{0,40}")
LONGEST_CLASS = 40  # characters of a class's name
IN_CLASSES = " -_'+/(),"  # beside letters, digits and emoji
FILES = (
    *("train-images-idx3-ubyte", "train-labels-idx1-ubyte"),
    *("t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"),
)


@dataclass(frozen=True)
class DatasetSpec:
    """A data set: four IDX files with grey images of IMAGE_SHAPE and their labels.

    `classes` are the names of the labels 0, 1, 2 …; `mean` and `std` are of the training images'
    pixels, scaled to 0..1. `about` says in a few words what the images are of; `noun` what a
    single one shows, and `hint` what to draw, in a sentence. `files`: images and labels for
    training, then for testing; `images`: how many there are for training (the validation images
    included) and for testing, where the files are not at hand to say so. `filled`: pictures fill
    the whole image instead of its inner 20×20. `downloadable`: torchvision has a class of this
    name that downloads it. `title`: what the pages call it, if not by its name.
    """

    name: str
    classes: tuple[str, ...]
    mean: float
    std: float
    about: str
    noun: str = "image"
    hint: str = ""
    files: tuple[str, str, str, str] = FILES
    images: tuple[int, int] = (60_000, 10_000)
    filled: bool = False
    downloadable: bool = False
    title: str = ""

    @property
    def num_classes(self) -> int:
        return len(self.classes)

    @property
    def one_character(self) -> bool:
        """Whether its classes are written in a row, as digits are, and read as a whole."""
        return not self.filled and all(len(name) == 1 for name in self.classes)

    @property
    def expects(self) -> str:
        """What a network that was trained on it can recognise, in a sentence."""
        return self.hint or f"Expects one {self.noun}: {', '.join(self.classes)}."


DATASETS: dict[str, DatasetSpec] = {}  # by name in lower case, in order of registration


def register_dataset(spec: DatasetSpec) -> DatasetSpec:
    """Adds a data set to every page, command and test.

    Raises ValueError for a name that is malformed or taken, and for classes that cannot be told
    apart, or cannot be shown.
    """
    if not DATASET_NAME.fullmatch(spec.name):  # it is a folder's name, and the start of runs' ids
        raise ValueError(f"data set name {spec.name!r}: use letters, digits and dashes")
    if spec.name.lower() in DATASETS:
        raise ValueError(f"data set name {spec.name!r} is taken; choose another")
    if not 2 <= spec.num_classes <= 256:
        raise ValueError(f"data set {spec.name!r} needs 2 to 256 classes, not {spec.num_classes}")
    if len(set(spec.classes)) < spec.num_classes or not all(spec.classes):
        raise ValueError(f"data set {spec.name!r}: each class needs a name of its own")
    for name in spec.classes:
        check_class_name(name)
    DATASETS[spec.name.lower()] = spec
    return spec


def check_class_name(name: str) -> None:
    """Raises ValueError for a name that pages could read as a link, or as markup."""
    kinds = map(unicodedata.category, name)
    known = (
        c in IN_CLASSES or k[0] in "LMN" or k == "So" for c, k in zip(name, kinds, strict=True)
    )
    if not 0 < len(name) <= LONGEST_CLASS or name != name.strip() or not all(known):
        raise ValueError(
            f"class {name[:60]!a}: use up to {LONGEST_CLASS} letters, digits, spaces and -_'+/(),"
        )


def dataset_names() -> tuple[str, ...]:
    """All registered names, in order of registration."""
    return tuple(spec.name for spec in DATASETS.values())


def dataset_title(name: str) -> str:
    """What the pages call the data set of that name."""
    return dataset_spec(name).title or name


def dataset_spec(name: str) -> DatasetSpec:
    """The data set of that name, in any mixture of upper and lower case.

    Raises InputError that lists the known ones.
    """
    spec = DATASETS.get(name.lower()) if isinstance(name, str) else None
    if spec is None:
        known = ", ".join(dataset_names())
        raise InputError(f"dataset: {name!r} was given; allowed is one of {known}")
    return spec
