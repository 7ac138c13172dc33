"""Reads protobuf's wire format without the project's .proto files: field number -> list of raw values.

A varint is an int, everything else bytes. https://protobuf.dev/programming-guides/encoding/
"""


class Malformed(ValueError):
    pass


def varint(data, at):
    value = shift = 0
    while True:
        if at >= len(data) or shift > 63:
            raise Malformed(f"a varint ends early or is too long at byte {at}")
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
        shift += 7


def fields(data):
    out = {}
    at = 0
    while at < len(data):
        tag, at = varint(data, at)
        kind = tag & 7
        if kind == 0:
            value, at = varint(data, at)
        else:
            if kind == 2:
                size, at = varint(data, at)
            elif kind in (1, 5):
                size = 8 if kind == 1 else 4
            else:
                raise Malformed(f"wire type {kind} at byte {at}")
            if at + size > len(data):
                raise Malformed(f"a field of {size} bytes at byte {at} runs past the end")
            value = data[at:at + size]
            at += size
        out.setdefault(tag >> 3, []).append(value)
    return out


def last(message, number, otherwise=None):
    """The value of a field that is not repeated."""
    return message[number][-1] if number in message else otherwise


def signed(value):
    """int64 fields are written as two's complement."""
    return value - (1 << 64) if value >= 1 << 63 else value
