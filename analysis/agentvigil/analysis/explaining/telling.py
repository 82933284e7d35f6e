"""Deeds as clauses of a sentence: told one after the other, or, where they are many, summed up."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Final

from agentvigil.analysis.explaining.deeds import Deed, Kind, depth_of, kind_of, name_of, walk
from agentvigil.analysis.explaining.facts import StepFacts
from agentvigil.analysis.explaining.labels import quoted
from agentvigil.analysis.explaining.wording import counted, failure_word, listed, times
from agentvigil.semconv.enums import FailureCode

_VERBS: Final = {
    Kind.AGENT: "handed over to",
    Kind.TOOL: "called",
    Kind.SEARCH: "searched",
    Kind.MEMORY: "searched its memory",
    Kind.EMBEDDINGS: "made embeddings",
    Kind.RERANK: "reranked",
    Kind.MODEL: "asked",
    Kind.STEP: "ran",
}

_NAMELESS: Final = {Kind.AGENT: "an agent", Kind.TOOL: "a tool", Kind.MODEL: "a model", Kind.STEP: "a step"}

_NOUNS: Final = {
    Kind.AGENT: ("handover", "handovers", "to"),
    Kind.TOOL: ("call", "calls", "of"),
    Kind.SEARCH: ("search", "searches", "of"),
    Kind.MEMORY: ("search of its memory", "searches of its memory", "of"),
    Kind.EMBEDDINGS: ("embedding", "embeddings", "with"),
    Kind.RERANK: ("reranking", "rerankings", "with"),
    Kind.MODEL: ("call", "calls", "of"),
    Kind.STEP: ("run", "runs", "of"),
}

_MAX_CLAUSES: Final = 8
_MAX_DEPTH: Final = 3
_MAX_DEEDS: Final = 100
"""Beyond these nobody follows a sentence."""


@dataclass(frozen=True, slots=True)
class Told:
    """Clauses without a capital or an end. ``ends_inside`` says that the last is about what another one did."""

    text: str
    ends_inside: bool = False


@dataclass(frozen=True, slots=True)
class _Cluster:
    """Deeds of one kind that are told in one clause: of one name, or done at once."""

    deeds: Sequence[Deed]
    is_at_once: bool

    @property
    def kind(self) -> Kind:
        return self.deeds[0].kind

    @property
    def end_ns(self) -> int:
        return max(deed.step.end_ns for deed in self.deeds)

    def takes(self, deed: Deed) -> bool:
        """Whether ``deed``, which comes next, can be told in the same clause."""
        if self.kind is not deed.kind:
            return False
        if all(mine.name == deed.name for mine in self.deeds):
            return True
        is_alone = not deed.deeds and not any(mine.deeds for mine in self.deeds)
        return is_alone and self._overlaps(deed) and (self.is_at_once or len(self.deeds) == 1)

    def with_(self, deed: Deed) -> "_Cluster":
        is_at_once = self._overlaps(deed) and (self.is_at_once or len(self.deeds) == 1)
        return _Cluster([*self.deeds, deed], is_at_once)

    def _overlaps(self, deed: Deed) -> bool:
        return deed.step.start_ns < self.end_ns


def in_order(deeds: Sequence[Deed]) -> Told | None:
    """Tell what was done in the order in which it began; None where it is too much for that."""
    if sum(1 for _ in walk(deeds)) > _MAX_DEEDS or depth_of(deeds) > _MAX_DEPTH:
        return None
    scopes = [deeds, *(deed.deeds for deed in walk(deeds))]
    if sum(len(_clusters(scope)) for scope in scopes) > _MAX_CLAUSES:
        return None
    return _scope(deeds, owner="")


def summed_up(deeds: Sequence[Deed], names: int) -> str:
    """Count what was done by what it was done with: ``made 12 calls of search (2 failed) and 3 other calls``.

    At most ``names`` are told; those of which something failed, then the most frequent, are the first to stay.
    """
    by_name: dict[tuple[Kind, str], list[Deed]] = {}
    for deed in walk(deeds):
        by_name.setdefault((deed.kind, deed.name), []).append(deed)
    ranked = sorted(by_name, key=lambda key: (not any(deed.failure_code for deed in by_name[key]), -len(by_name[key])))
    kept = set(ranked[:names])
    items = [_counted(kind, name, deeds) for (kind, name), deeds in by_name.items() if (kind, name) in kept]
    if others := sum(len(by_name[key]) for key in ranked[names:]):
        items.append(counted(others, "other call" if items else "call"))
    return f"made {listed(items)}"


def subject_of(step: StepFacts) -> str:
    """Return what ``step`` is called as the subject of a sentence: ``refund``, ``the search of kb``, ``a model``."""
    kind, name = kind_of(step), quoted(name_of(step))
    if kind in _NAMELESS:
        return name or _NAMELESS[kind]
    one, _, joint = _NOUNS[kind]
    return _words(f"the {one}", f"{joint} {name}" if name else "")


def _scope(deeds: Sequence[Deed], owner: str) -> Told:
    """Tell what was done in one place: by the run itself, or inside the agent or tool ``owner``."""
    text, ends_inside = "", False
    clusters = _clusters(deeds)
    for before, cluster in zip([None, *clusters], clusters, strict=False):
        verb = _VERBS[cluster.kind]
        if before is None:
            joint = f"{verb} "
        elif ends_inside:
            when = "meanwhile" if cluster.deeds[0].step.start_ns < before.end_ns else "then"
            joint = f"; {when} {owner} {verb} " if owner else f"; {when} {verb} "
        elif before.kind is cluster.kind:
            joint = ", then "
        else:
            joint = f" and {verb} " if owner and cluster is clusters[-1] else f", {verb} "
        told = _objects(cluster)
        # A search of nothing in particular has no object.
        text = (text + joint + told.text).rstrip().replace("  ", " ")
        ends_inside = told.ends_inside
    return Told(text, ends_inside)


def _clusters(deeds: Iterable[Deed]) -> list[_Cluster]:
    clusters: list[_Cluster] = []
    for deed in deeds:
        if clusters and clusters[-1].takes(deed):
            clusters[-1] = clusters[-1].with_(deed)
        else:
            clusters.append(_Cluster([deed], is_at_once=False))
    return clusters


def _objects(cluster: _Cluster) -> Told:
    """Tell of a clause what follows its verb: ``refund twice (timeout ×2), which …``."""
    by_name: dict[str, list[Deed]] = {}
    for deed in cluster.deeds:
        by_name.setdefault(deed.name, []).append(deed)
    objects = [
        _words(_object(cluster.kind, name), times(len(deeds)), _outcome(deeds, in_order=not cluster.is_at_once))
        for name, deeds in by_name.items()
    ]
    text = _words(listed(objects), "at once" if cluster.is_at_once else "")
    inner = [inner for deed in cluster.deeds for inner in deed.deeds]
    if not inner:
        return Told(text)
    return Told(f"{text}, which {_scope(inner, cluster.deeds[0].name).text}", ends_inside=True)


def _object(kind: Kind, name: str) -> str:
    if kind in (Kind.EMBEDDINGS, Kind.RERANK):
        return f"with {name}" if name else ""
    return name or _NAMELESS.get(kind, "")


def _counted(kind: Kind, name: str, deeds: Sequence[Deed]) -> str:
    one, many, joint = _NOUNS[kind]
    count = counted(len(deeds), one, many)
    return _words(count, f"{joint} {name}" if name else "", _outcome(deeds, in_order=False))


def _words(*words: str) -> str:
    return " ".join(filter(None, words))


def _outcome(deeds: Sequence[Deed], *, in_order: bool) -> str:
    """Say in parentheses how it went, or nothing where it went as it should and gave nothing to count."""
    codes = [deed.failure_code for deed in deeds]
    failures = [code for code in codes if code]
    fine = _results([deed for deed in deeds if not deed.failure_code])
    if not failures:
        return f"({fine})" if fine else ""
    if len(failures) == len(codes):
        how = _runs(failures)
    elif in_order and all(codes[: len(failures)]):
        how = f"{_runs(failures)}, then {fine or 'fine'}"
    elif len(set(failures)) > 1:
        how = f"{len(failures):,} failed"
    elif failures[0] == FailureCode.EMPTY_RETRIEVAL:
        how = f"{len(failures):,} found nothing"
    elif failures[0] == FailureCode.OTHER:
        how = f"{len(failures):,} failed"
    else:
        how = f"{len(failures):,} failed: {failure_word(failures[0])}"
    return f"({how})"


def _results(deeds: Sequence[Deed]) -> str:
    """Count what searches returned: nothing where one of them does not say, or where these are no searches."""
    documents = [deed.step.retrieved_documents for deed in deeds if deed.kind in (Kind.SEARCH, Kind.MEMORY)]
    known = [count for count in documents if count is not None]
    return counted(sum(known), "result") if known and len(known) == len(deeds) else ""


def _runs(codes: Sequence[str]) -> str:
    """Return ``timeout ×2, rate limited``; more than three different ones after each other are only counted."""
    runs = [(code, len(list(same))) for code, same in groupby(codes)]
    if len(runs) > 3:
        return f"failed ×{len(codes):,}"
    return ", ".join(failure_word(code) + (f" ×{count:,}" if count > 1 else "") for code, count in runs)
