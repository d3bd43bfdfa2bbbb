"""QR codes: read back by the rules of the standard, and one that another program has made."""

from itertools import pairwise

import numpy as np
import pytest

from mnist_core.errors import InputError
from mnist_core.imaging.qr import VERSIONS, _product, _tables, picture, qr_code

# What segno 1.6 makes of the same text: 21×21 modules, eight in a byte.
OTHERS = (
    "fe8bfc14d06e8cbb7585dba52ec12107faafe01a00b74a5eec8d4fe9c660b2a9"
    "eb31804e63fb96905c15ba31f5d453aea78104541fe93200"
)
LINK = "http://192.168.178.23:8501/playground?play_set=k3x9q2wf"


def read(black):
    """The text of a code of these versions, and whether its check words are right."""
    side = len(black)
    version = VERSIONS[(side - 17) // 4 - 1]
    told = [int(black[8, x]) for x in (0, 1, 2, 3, 4, 5, 7, 8)]  # level, mask, then check bits
    mask = (told[2] << 2 | told[3] << 1 | told[4]) ^ 0b101
    y, x = np.indices(black.shape)
    formulas = [(y + x) % 2, y % 2, x % 3, (y + x) % 3, (y // 2 + x // 3) % 2]
    formulas += [y * x % 2 + y * x % 3, (y * x % 2 + y * x % 3) % 2, ((y + x) % 2 + y * x % 3) % 2]
    plain = black ^ (formulas[mask] == 0)
    bits, x, up = [], side - 1, True
    while x > 0:
        x -= x == 6
        for row in range(side - 1, -1, -1) if up else range(side):
            bits += [
                plain[row, c] for c in (x, x - 1) if not function(row, c, side, version.centre)
            ]
        x, up = x - 2, not up
    words = np.packbits(bits)[: version.blocks * (version.data + version.check)].tolist()
    blocks = [words[at :: version.blocks] for at in range(version.blocks)]
    powers = _tables()[0]
    for block in blocks:  # each power of the root is a zero of the code's polynomial
        for exponent in range(version.check):
            value = 0
            for word in block:
                value = _product(value, powers[exponent]) ^ word
            assert value == 0
    data = bytes(word for block in blocks for word in block[: version.data])
    assert data[0] >> 4 == 0b0100
    length = (data[0] & 15) << 4 | data[1] >> 4
    shifted = bytes((a & 15) << 4 | b >> 4 for a, b in pairwise(data[1:]))
    return shifted[:length].decode()


def function(row, column, side, centre):
    """Whether no data goes there: finders, the level, timing, alignment."""
    corner = (row < 9 and (column < 9 or column >= side - 8)) or (row >= side - 8 and column < 9)
    near = centre and abs(row - centre) <= 2 and abs(column - centre) <= 2
    return corner or near or 6 in (row, column)


@pytest.mark.parametrize("length", [0, 1, 14, 15, 26, 42, 43, 62, 84, 106])
def test_what_is_written_can_be_read(length):
    text = (LINK * 2)[:length]
    assert read(qr_code(text)) == text


def test_it_is_the_code_that_another_program_makes():
    bits = np.packbits(qr_code("lab.local/7b/x"))
    assert bits.tobytes().hex() == OTHERS


def test_umlauts_are_utf8_and_a_long_text_is_refused():
    assert read(qr_code("Schüler ☀")) == "Schüler ☀"
    with pytest.raises(InputError, match="up to 106 bytes"):
        qr_code("x" * 107)


def test_the_picture_has_a_white_border():
    black = qr_code("x")
    grey = picture(black)
    assert grey.shape == (29, 29) and grey.dtype == np.uint8
    assert (grey[4:-4, 4:-4] == np.where(black, 0, 255)).all()
    assert (grey[:4] == 255).all() and (grey[:, -4:] == 255).all()
