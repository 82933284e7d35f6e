"""``python -m agentvigil_grafana``: write the dashboards and alert rules of ``grafana/``.

``--check`` writes nothing and exits with 1 when a file says something else.
"""

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import yaml
from grafana_foundation_sdk.cog.encoder import JSONEncoder

from agentvigil_grafana import alerts
from agentvigil_grafana.boards import boards

GRAFANA: Final = Path(__file__).parents[1]
_MADE: Final = "# Made by `make grafana` from grafana/agentvigil_grafana/alerts.py and queries/alerts.sql.\n"


class _Dumper(yaml.SafeDumper):  # type: ignore[misc] # it has no types
    """Writes SQL line by line, as somebody reads it."""


def _text(dumper: Any, text: str) -> Any:
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style="|" if "\n" in text else None)


_Dumper.add_representer(str, _text)


def files() -> Mapping[Path, str]:
    """Return what is generated, by where it is."""
    made = {}
    for board in boards():
        text = json.dumps(board, cls=JSONEncoder, indent=2, sort_keys=True, ensure_ascii=False)
        made[GRAFANA / "dashboards" / f"{board.uid}.json"] = text + "\n"
    rules = yaml.dump(alerts.provisioning(), Dumper=_Dumper, sort_keys=False, width=120)
    made[GRAFANA / "provisioning" / "alerting" / "agentvigil.yaml"] = _MADE + rules
    return made


def main(arguments: list[str]) -> int:
    """Write or check the files; return the exit code."""
    made = files()
    there = set((GRAFANA / "dashboards").glob("*.json"))
    if arguments == ["--check"]:
        wrong = [path for path in sorted(there | made.keys()) if path not in made or not _says(path, made[path])]
        for path in wrong:
            print(f"{path} is not what the code makes: run make grafana", file=sys.stderr)
        return int(bool(wrong))
    for path in there - made.keys():
        path.unlink()
    for path, text in made.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return 0


def _says(path: Path, text: str) -> bool:
    return path.exists() and path.read_text(encoding="utf-8") == text


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
