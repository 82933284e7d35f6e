"""``agentvigil analyze`` as users run it, on data that no server has open."""

from pathlib import Path

import pytest
from click.testing import CliRunner
from server_process import prepare, run_in_turn

from agentvigil.cli.commands import agentvigil


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--until", "1d"], "--until and --project go with --since"),
        (["--since", "yesterdayish"], "is no time"),
        (["--since", "3d", "--until", "5d"], "--since comes before --until, which is now if it is not said"),
        (["--since", "2100-01-01"], "no whole hour lies between 2100-01-01 00:00 UTC and"),
        (["--sensitivity", "nervous"], "eager"),
    ],
)
def test_what_can_not_be_asked_is_said(arguments: list[str], said: str) -> None:
    result = CliRunner().invoke(agentvigil, ["analyze", *arguments])
    assert result.exit_code == 2
    assert said in result.output


def test_once_and_over_a_time_where_nothing_is_stored(tmp_path: Path) -> None:
    """Nothing is found, which is exit code 0, and no window is refused that has an hour in it."""
    data = prepare(tmp_path / "data")
    once, window = run_in_turn(
        ("analyze", "--once", "--data", str(data)), ("analyze", "--since", "3d", "--data", str(data))
    )
    assert (once.returncode, once.stdout) == (0, ""), once.stderr
    assert "nothing new was found" in once.stderr
    assert (window.returncode, window.stdout) == (0, ""), window.stderr
