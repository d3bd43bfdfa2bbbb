"""TensorBoard's event files, written without TensorBoard.

A file is a row of records: the length of the content, the content, and a checksum (CRC-32C) of
each. The content is a protocol buffer, `Event` of TensorFlow's event.proto, of which a time, a
step, and numbers and text by name are all that is written here.
"""

import functools
import struct
from collections.abc import Iterable, Mapping

Numbers = tuple[float, int, Mapping[str, float]]  # seconds since 1970, step, numbers by name


def event_file(start: float, scalars: Iterable[Numbers], texts: Mapping[str, str]) -> bytes:
    """The content of a file: `texts` at step 0, then all numbers."""
    events = [_event(start, 0, _field(3, b"brain.Event:2"))]
    events += [_event(start, 0, _summary([_text(*item) for item in texts.items()]))]
    events += [
        _event(when, step, _summary([_scalar(*item) for item in values.items()]))
        for when, step, values in scalars
    ]
    return b"".join(map(_record, events))


def _event(when: float, step: int, rest: bytes) -> bytes:
    return _key(1, 1) + struct.pack("<d", when) + _key(2, 0) + _varint(step) + rest


def _summary(values: Iterable[bytes]) -> bytes:
    return _field(5, b"".join(_field(1, value) for value in values))


def _scalar(name: str, value: float) -> bytes:
    return _field(1, name.encode()) + _key(2, 5) + struct.pack("<f", value)


def _text(name: str, words: str) -> bytes:
    """A tensor of one string, shown by the text plugin."""
    tensor = _key(1, 0) + _varint(7) + _field(2, _field(2, _key(1, 0) + _varint(1)))
    tensor += _field(8, words.encode())
    metadata = _field(1, _field(1, b"text"))
    return _field(1, name.encode()) + _field(8, tensor) + _field(9, metadata)


def _field(number: int, content: bytes) -> bytes:
    return _key(number, 2) + _varint(len(content)) + content


def _key(number: int, kind: int) -> bytes:
    return _varint(number << 3 | kind)


def _varint(value: int) -> bytes:
    found = bytearray()
    while value > 127:
        found.append(value & 127 | 128)
        value >>= 7
    return bytes([*found, value])


def _record(content: bytes) -> bytes:
    length = struct.pack("<Q", len(content))
    return length + _masked(length) + content + _masked(content)


def _masked(content: bytes) -> bytes:
    checksum = crc32c(content)
    return struct.pack("<I", ((checksum >> 15 | checksum << 17) + 0xA282EAD8) & 0xFFFFFFFF)


def crc32c(content: bytes) -> int:
    """Castagnoli's checksum."""
    table, found = _table(), 0xFFFFFFFF
    for byte in content:
        found = table[(found ^ byte) & 255] ^ found >> 8
    return found ^ 0xFFFFFFFF


@functools.cache
def _table() -> tuple[int, ...]:
    table = list(range(256))
    for _ in range(8):
        table = [value >> 1 ^ 0x82F63B78 * (value & 1) for value in table]
    return tuple(table)
