"""The clear differences between two versions in words."""

from collections.abc import Iterator
from typing import Final

from agentvigil.api.agents.diff_models import MeanChange, MoneyChange, Part, RateChange, VersionDiff

_MOST_OF_A_NAME: Final = 100


def summary_of(diff: VersionDiff) -> Iterator[str]:
    """Yield a line for every difference whose interval leaves out 0, what concerns runs as a whole first."""
    if diff.failure_rate.is_clear:
        yield _moved("{} of runs fail", diff.failure_rate)
    for failure in diff.failures:
        if failure.runs.is_clear:
            yield _moved(f"{{}} of runs come to {_name(failure.type)} {_name(failure.code)}", failure.runs)
    for tool in diff.tool_changes:
        name = _name(tool.tool)
        if tool.runs.is_clear:
            yield _moved(f"{name} is called in {{}} of runs", tool.runs)
        if tool.calls_per_run.is_clear:
            yield f"{tool.tool[:_MOST_OF_A_NAME]} is called {_mean(tool.calls_per_run, '{:.3g} times a run')}"
        is_told_by_code = any(calls == tool.errors for calls in tool.error_codes.values())
        if tool.errors.is_clear and not is_told_by_code:
            yield _moved(f"{name} fails in {{}} of calls", tool.errors)
        for code, calls in tool.error_codes.items():
            if calls.is_clear:
                yield _moved(f"{name}: {_name(code)} in {{}} of calls", calls)
    for model in diff.model_changes:
        if model.runs.is_clear:
            yield _moved(f"{_name(model.model)} is called in {{}} of runs", model.runs)
    if diff.cost_per_run_usd.is_clear:
        yield f"a run costs {_money(diff.cost_per_run_usd)}"
    if diff.tokens_per_run.is_clear:
        yield f"a run takes {_mean(diff.tokens_per_run, '{:,.0f} tokens')}"
    if diff.steps_per_run.is_clear:
        yield f"a run takes {_mean(diff.steps_per_run, '{:.3g} steps')}"
    if diff.duration.mean_ms.is_clear:
        yield f"a run lasts {_mean(diff.duration.mean_ms, '{:,.0f} ms')} in the mean"


def _moved(form: str, change: RateChange) -> str:
    now, was = change.after, change.before
    return (
        f"{form.format(_percent(now))} ({now.count} of {now.total}), was {_percent(was)} ({was.count} of {was.total})"
    )


def _name(text: str) -> str:
    """Return a name that somebody else gave, short, and as text for ``format``."""
    return text[:_MOST_OF_A_NAME].replace("{", "{{").replace("}", "}}")


def _mean(change: MeanChange, form: str) -> str:
    return f"{form.format(change.after)}, was {form.format(change.before)}"


def _money(change: MoneyChange) -> str:
    return f"${float(change.after or 0):.3g}, was ${float(change.before or 0):.3g}"


def _percent(part: Part) -> str:
    percent = 100 * (part.rate or 0)
    return f"{percent:.0f} %" if percent >= 9.95 or percent == round(percent) else f"{percent:.1f} %"
