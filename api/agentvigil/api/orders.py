"""What lists are ordered by."""

from enum import StrEnum


class Order(StrEnum):
    """An order of a list; with a dash the greatest comes first."""

    @property
    def is_descending(self) -> bool:
        return self.value.startswith("-")

    @property
    def field(self) -> str:
        return self.value.removeprefix("-")
