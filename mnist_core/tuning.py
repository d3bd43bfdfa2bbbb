"""How a run was fine-tuned on drawings, as a text that is part of its config and of its id.

Such as "last layer, 37 drawings 0123456789abcdef, 30 epochs, learning rate 0.002, 3 images each".
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Self

from mnist_core.formatting import counted, number

PARTS = {"last": "last layer", "all": "all layers"}  # what learns
FEWEST_DRAWINGS = 10
MOST_DRAWINGS = 2000
MOST_EPOCHS = 200
RATES = (1e-6, 0.1)  # the lowest and the highest learning rate
MOST_MIXED = 20
# Of the images that training held out, one in so many is to validate on; the others are mixed in.
HELD = 5


def unseen(held_out: int) -> int:
    """How many of so many images that training held out, the last ones, are not mixed in."""
    return max(1, held_out // HELD)


TEXT = re.compile(
    rf"(?P<part>{'|'.join(PARTS.values())}), (?P<drawings>\d{{1,5}}) drawings "
    r"(?P<fingerprint>[0-9a-f]{16}), (?P<epochs>\d{1,4}) epochs?, "
    r"learning rate (?P<lr>[0-9.e-]{1,24}), (?P<mixed>\d{1,3}) images? each"
)


@dataclass(frozen=True)
class Tuning:
    """`part`, of PARTS, learned so many `drawings`, which the `fingerprint` tells from others.

    `mixed`: how many of the data set's images each step takes for each of its drawings, 0 where
    that was not at hand. Raises ValueError for what is out of range.
    """

    part: str
    drawings: int
    fingerprint: str
    epochs: int
    lr: float
    mixed: int

    def __post_init__(self) -> None:
        if self.part not in PARTS or not re.fullmatch(r"[0-9a-f]{16}", self.fingerprint):
            raise ValueError("unknown part or malformed fingerprint")
        if not FEWEST_DRAWINGS <= self.drawings <= MOST_DRAWINGS:
            raise ValueError("the number of drawings is out of range")
        if not 1 <= self.epochs <= MOST_EPOCHS or not 0 <= self.mixed <= MOST_MIXED:
            raise ValueError("the epochs or the images are out of range")
        if not RATES[0] <= self.lr <= RATES[1]:
            raise ValueError("the learning rate is out of range")

    def __str__(self) -> str:
        return (
            f"{PARTS[self.part]}, {self.drawings} drawings {self.fingerprint}, "
            f"{self.epochs} {'epoch' if self.epochs == 1 else 'epochs'}, "
            f"learning rate {number(self.lr)}, "
            f"{self.mixed} {'image' if self.mixed == 1 else 'images'} each"
        )

    @classmethod
    def parse(cls, text: str) -> Self:
        """What `str` made. Raises ValueError for any other text."""
        found = TEXT.fullmatch(text)
        if found is None:
            raise ValueError("it is not how a run was fine-tuned")
        parts = {words: name for name, words in PARTS.items()}
        return cls(
            parts[found["part"]],
            int(found["drawings"]),
            found["fingerprint"],
            int(found["epochs"]),
            float(found["lr"]),
            int(found["mixed"]),
        )

    def in_words(self) -> str:
        """Such as "fine-tuned on 37 drawings (last layer)"."""
        return f"fine-tuned on {counted(self.drawings, 'drawing')} ({PARTS[self.part]})"
