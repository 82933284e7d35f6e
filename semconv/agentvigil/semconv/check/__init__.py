"""Says what is missing, deprecated or wrong about a span, and what to do about it.

The rules, in the order in which they are applied:

1. A span without a name of ours on it (``gen_ai.*``, ``mcp.*``, ``agentvigil.*`` or a former one) is none of our
   business and has no problems.
2. Its operation and kind decide what it has to carry. Without an operation that is known, only rules that hold on
   every span are applied.
3. What was said under a former name counts as said: then the former name is the problem, not the missing current one.
4. Whether a condition held ("if the request has it") only the instrumentation knows, so attributes that are required
   under a condition are not asked for, but for a few that every span of ours should have.

An *error* makes the span misleading or useless, a *warning* makes it less useful or wrong tomorrow, a *note* may well
be as intended. Messages quote values only where these are labels, never what may be content.
"""

from collections.abc import Mapping

from agentvigil.semconv.check.attribute_rules import name_problems, value_problems
from agentvigil.semconv.check.examined import Examined, is_ours
from agentvigil.semconv.check.problems import Code, Problem, Severity
from agentvigil.semconv.check.span_rules import span_problems
from agentvigil.semconv.registry import load
from agentvigil.semconv.spans import Span, span_of

__all__ = ["Code", "Problem", "Severity", "check"]


def check(span: Span | Mapping[str, object]) -> list[Problem]:
    """Return the problems of ``span``, the worst first; a mapping is read by
    :func:`~agentvigil.semconv.spans.span_of`.

    Raises:
        NotASpan: if the mapping is no span.
    """
    seen = span if isinstance(span, Span) else span_of(span)
    if not is_ours(seen):
        return []
    examined = Examined.of(seen, load())
    found = [
        *name_problems(seen.attributes, examined, ""),
        *value_problems(seen.attributes, examined, ""),
        *span_problems(examined),
    ]
    order = list(Severity)
    return sorted(dict.fromkeys(found), key=lambda problem: (order.index(problem.severity), problem.attribute or ""))
