"""The users that ``deploy/clickhouse/users.sql`` makes, and what each may do."""

import re
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Final

DEPLOYED: Final = Path(__file__).parents[1] / "deploy" / "clickhouse"
_GRANT: Final = re.compile(r"GRANT (?P<rights>[\w, ]+) ON agentvigil\.(?P<tables>[\w*]+) TO (?P<user>\w+)")


def statements() -> list[str]:
    """What it runs, one after the other."""
    text = re.sub(r"^--.*\n", "", (DEPLOYED / "users.sql").read_text(encoding="utf-8"), flags=re.MULTILINE)
    return [statement.strip() for statement in text.split(";") if statement.strip()]


def may(user: str, right: str, table: str) -> bool:
    """Say whether ``user`` has ``right`` to ``table``."""
    found = (_GRANT.fullmatch(statement) for statement in statements())
    return any(
        grant["user"] == user and right in grant["rights"].split(", ") and fnmatchcase(table, grant["tables"])
        for grant in found
        if grant is not None
    )
