"""Where the values of a block lie: channel, row, column, image."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(eq=False)
class Storage:
    """One value of a block of images, or its gradient. Sizes count vectors.

    `border` columns of zeros lie before the first row and behind every row. A plane has an odd
    size, so that the channels of a pixel do not fall into the same set of the cache.
    """

    channels: int
    height: int
    width: int
    border: int = 0
    offset: int = 0

    @property
    def row(self) -> int:
        return self.width + self.border

    @property
    def plane(self) -> int:
        return self.height * self.row | 1

    @property
    def size(self) -> int:
        return self.border + self.channels * self.plane

    @property
    def start(self) -> int:
        """Offset of the first pixel in the block's memory."""
        return self.offset + self.border

    @property
    def shape(self) -> str:
        """As a C expression."""
        return f"(Shape){{{self.channels}, {self.height}, {self.width}, {self.row}, {self.plane}}}"

    def needs(self, border: int) -> None:
        self.border = max(self.border, border)

    def like(self) -> Storage:
        return Storage(self.channels, self.height, self.width)


@dataclass(eq=False)
class Value:
    """What lies between two operations. Before the first parameter it has no gradient."""

    data: Storage
    gradient: Storage
    has_gradient: bool
    fixed: bool = False  # whether its producer needs it again on the way back

    @classmethod
    def of(cls, channels: int, height: int, width: int, gradient: bool) -> Value:
        data = Storage(channels, height, width)
        return cls(data, data.like(), gradient)

    def storages(self) -> tuple[Storage, ...]:
        return (self.data, self.gradient) if self.has_gradient else (self.data,)

    @property
    def features(self) -> int:
        return self.data.channels * self.data.height * self.data.width


@dataclass
class Arena:
    """The memory of one block; values get their places once all borders are known."""

    storages: list[Storage] = field(default_factory=list)

    def add(self, value: Value) -> None:
        for storage in value.storages():
            if all(storage is not other for other in self.storages):
                self.storages.append(storage)

    def place(self) -> int:
        """Gives every value its offset; returns the size of all."""
        offset = 0
        for storage in self.storages:
            storage.offset = offset
            offset += storage.size
        return offset
