"""What spans carry is printed so that it can not drive a terminal, nor deceive who reads it."""


def printable(text: str, kept: str = "") -> str:
    """Return ``text`` with characters made visible that are not to be seen: controls, and those that turn the direction
    of writing or have no width, such as U+202E. Those in ``kept`` stay."""
    return "".join(c if c in kept or c.isprintable() else c.encode("unicode_escape").decode() for c in text)
