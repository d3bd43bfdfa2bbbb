"""A link as a QR code, which a phone or tablet opens with its camera.

ISO/IEC 18004: bytes, error correction level M (15 % may be damaged), versions 1 to 6.
"""

import functools
from dataclasses import dataclass

import numpy as np

from mnist_core.errors import InputError

QUIET = 4  # modules of white around it


@dataclass(frozen=True)
class _Version:
    """`blocks` of `data` and of `check` code words each; the centre of the alignment pattern."""

    number: int
    blocks: int
    data: int
    check: int
    centre: int

    @property
    def side(self) -> int:
        return 17 + 4 * self.number

    @property
    def capacity(self) -> int:
        """Bytes of text: a code word and a half say what it is and how long."""
        return self.blocks * self.data - 2


VERSIONS = (
    *(_Version(1, 1, 16, 10, 0), _Version(2, 1, 28, 16, 18), _Version(3, 1, 44, 26, 22)),
    *(_Version(4, 2, 32, 18, 26), _Version(5, 2, 43, 24, 30), _Version(6, 4, 27, 16, 34)),
)
MASKS = (
    lambda y, x: (y + x) % 2,
    lambda y, x: y % 2 + 0 * x,
    lambda y, x: x % 3 + 0 * y,
    lambda y, x: (y + x) % 3,
    lambda y, x: (y // 2 + x // 3) % 2,
    lambda y, x: y * x % 2 + y * x % 3,
    lambda y, x: (y * x % 2 + y * x % 3) % 2,
    lambda y, x: ((y + x) % 2 + y * x % 3) % 2,
)


def qr_code(text: str) -> np.ndarray:
    """(side, side) booleans, True for black, without its border.

    Raises InputError for a text of more than 106 bytes.
    """
    content = text.encode()
    version = next((v for v in VERSIONS if len(content) <= v.capacity), None)
    if version is None:
        raise InputError(f"A QR code here holds up to {VERSIONS[-1].capacity} bytes.")
    words = _with_check_words(_code_words(content, version), version)
    bits = np.unpackbits(np.array(words, np.uint8)).astype(bool)
    black, fixed = _patterns(version)
    places = _free_places(fixed)
    black[tuple(places[: len(bits)].T)] = bits
    masked = [_masked(black, fixed, number) for number in range(len(MASKS))]
    return min(masked, key=_unevenness)


def picture(black: np.ndarray) -> np.ndarray:
    """(side, side) uint8 grey: the code with the white border that a camera needs."""
    return 255 * (1 - np.pad(black, QUIET).astype(np.uint8))


def _code_words(content: bytes, version: _Version) -> list[int]:
    """Kind (bytes), length, the bytes, an end, and padding."""
    bits = f"0100{len(content):08b}" + "".join(f"{byte:08b}" for byte in content) + "0000"
    words = [int(bits[at : at + 8], 2) for at in range(0, len(bits), 8)]
    missing = version.blocks * version.data - len(words)
    return words + [(0xEC, 0x11)[at % 2] for at in range(missing)]


def _with_check_words(words: list[int], version: _Version) -> list[int]:
    """The first words of all blocks, then the second ones, and so on; then the check words so."""
    size = version.data
    blocks = [words[at : at + size] for at in range(0, len(words), size)]
    checks = [_remainder(block, version.check) for block in blocks]
    rows = (*zip(*blocks, strict=True), *zip(*checks, strict=True))
    return [word for row in rows for word in row]


@functools.cache
def _tables() -> tuple[list[int], list[int]]:
    """Powers and logarithms in the field of 256 elements, modulo x⁸+x⁴+x³+x²+1."""
    powers, logs, value = [0] * 255, [0] * 256, 1
    for exponent in range(255):
        powers[exponent], logs[value] = value, exponent
        value = value << 1 ^ (0x11D if value & 0x80 else 0)
    return powers, logs


def _product(a: int, b: int) -> int:
    powers, logs = _tables()
    return powers[(logs[a] + logs[b]) % 255] if a and b else 0


def _remainder(block: list[int], count: int) -> list[int]:
    """The check words of a Reed-Solomon code: what is left on division by its generator."""
    generator = [1]
    for exponent in range(count):
        root = _tables()[0][exponent]
        longer = [*generator, 0]
        for at, factor in enumerate(generator):
            longer[at + 1] ^= _product(factor, root)
        generator = longer
    rest = [*block, *[0] * count]
    for at in range(len(block)):
        first = rest[at]
        for place, factor in enumerate(generator):
            rest[at + place] ^= _product(factor, first)
    return rest[-count:]


def _patterns(version: _Version) -> tuple[np.ndarray, np.ndarray]:
    """What every code of the version has, and where no data goes: two (side, side) booleans."""
    side = version.side
    black, fixed = np.zeros((2, side, side), bool)
    black[6, ::2] = black[::2, 6] = True  # timing
    fixed[6] = fixed[:, 6] = True
    for y, x in ((0, 0), (0, side - 7), (side - 7, 0)):  # finders with a white border
        low_y, low_x = max(0, y - 1), max(0, x - 1)
        black[low_y : y + 8, low_x : x + 8] = False
        fixed[low_y : y + 8, low_x : x + 8] = True
        black[y : y + 7, x : x + 7] = _rings(7)
    fixed[8, :9] = fixed[:9, 8] = fixed[8, -8:] = fixed[-8:, 8] = True  # level and mask
    if centre := version.centre:
        around = slice(centre - 2, centre + 3)
        black[around, around], fixed[around, around] = _rings(5), True
    black[side - 8, 8] = True
    return black, fixed


def _rings(side: int) -> np.ndarray:
    """A square, black but for the ring within its edge."""
    square = np.ones((side, side), bool)
    square[1:-1, 1:-1] = False
    square[2:-2, 2:-2] = True
    return square


def _free_places(fixed: np.ndarray) -> np.ndarray:
    """(N, 2): row and column in the order of the bits: two columns at a time, from the right, up
    and down in turn; the timing column is left out."""
    side, places = len(fixed), []
    columns = [x for x in range(side - 1, -1, -1) if x != 6]
    for turn, at in enumerate(range(0, len(columns), 2)):
        rows = range(side) if turn % 2 else range(side - 1, -1, -1)
        places += [(y, x) for y in rows for x in columns[at : at + 2] if not fixed[y, x]]
    return np.array(places)


def _masked(black: np.ndarray, fixed: np.ndarray, number: int) -> np.ndarray:
    """The data inverted by a pattern, and the number of that pattern in its two places."""
    y, x = np.indices(black.shape)
    found = black ^ ((MASKS[number](y, x) == 0) & ~fixed)
    bits = np.array([_format(number) >> place & 1 for place in range(15)], bool)
    found[[0, 1, 2, 3, 4, 5, 7, 8], 8] = bits[:8]
    found[8, [7, 5, 4, 3, 2, 1, 0]] = bits[8:]
    found[8, [-1, -2, -3, -4, -5, -6, -7, -8]] = bits[:8]
    found[-7:, 8] = bits[8:]
    return found


def _format(mask: int) -> int:
    """15 bits: level M, which is 00, the mask, and ten check bits."""
    rest = mask << 10
    for place in range(14, 9, -1):
        if rest >> place & 1:
            rest ^= 0x537 << (place - 10)
    return (mask << 10 | rest) ^ 0x5412


def _unevenness(black: np.ndarray) -> int:
    """How hard it may be to read: long runs of one colour, squares of it, and a lack of balance."""
    runs = sum(_runs(line) for line in (*black, *black.T))
    same = (black[1:, 1:] == black[:-1, 1:]) & (black[1:, 1:] == black[1:, :-1])
    squares = 3 * int((same & (black[1:, 1:] == black[:-1, :-1])).sum())
    return runs + squares + 10 * int(abs(20 * black.mean() - 10))


def _runs(line: np.ndarray) -> int:
    ends = np.flatnonzero(np.diff(line)) + 1
    lengths = np.diff([0, *ends, len(line)])
    return int((lengths[lengths >= 5] - 2).sum())
