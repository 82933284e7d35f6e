"""Loads statements from a ``.sql`` file in which each one stands under a line ``-- name --``."""

import re
from importlib import resources


def load_queries(package: str, file_name: str) -> dict[str, str]:
    """Return the statements of ``file_name`` in ``package`` by their names.

    Raises:
        ValueError: if two have the same name.
    """
    return split_queries(resources.files(package).joinpath(file_name).read_text(encoding="utf-8"), file_name)


def split_queries(text: str, file_name: str) -> dict[str, str]:
    """Return the statements of ``text``, which stands in ``file_name``, by their names.

    Raises:
        ValueError: if two have the same name.
    """
    parts = re.split(r"^-- (\w+) --\n", text, flags=re.MULTILINE)
    names = parts[1::2]
    if doubled := {name for name in names if names.count(name) > 1}:
        raise ValueError(f"{file_name} has several statements named {', '.join(sorted(doubled))}")
    return {name: sql.strip() for name, sql in zip(names, parts[2::2], strict=True)}
