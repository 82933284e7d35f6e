"""Unsigned numbers as Protobuf and ClickHouse's Native format write them (LEB128)."""


def varint(number: int) -> bytes:
    """Return ``number``, seven bits a byte, the lowest first; all bytes but the last have the high bit set."""
    out = bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    out.append(number)
    return bytes(out)
