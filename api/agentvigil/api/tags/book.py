"""The tags of runs in a store."""

import threading
from typing import Any, Final

from agentvigil.api.problems import Conflict
from agentvigil.api.reading import Reader
from agentvigil.api.runs.reading import Runs
from agentvigil.storage.named_queries import load_queries
from agentvigil.storage.store import Store

_STATEMENTS: Final = load_queries("agentvigil.api.tags", "queries.sql")
MOST_TAGS: Final = 50
"""Of one run."""


class TagBook:
    """The tags of ``runs``, which are in ``store``. Any thread may call."""

    def __init__(self, store: Store, reader: Reader, runs: Runs) -> None:
        self._store, self._reader, self._runs = store, reader, runs
        self._counting = threading.Lock()

    def put(self, project: str, run_id: str, tag: str) -> list[str]:
        """Give a run a tag, and return all that it has.

        Raises:
            NotFound: if there is no such run.
            Conflict: if it has as many as it may have.
            StorageError: if the store does not answer.
        """
        run = self._runs.one(project, run_id)
        with self._counting:
            tags = self._runs.tags(project, run_id)
            if tag in tags:
                return tags
            if len(tags) >= MOST_TAGS:
                raise Conflict(f"run {run_id} has {len(tags)} tags, and no run has more", "take one off first")
            self._change("put", project, run_id, tag, trace_id=run["TraceId"])
        return self._runs.tags(project, run_id)

    def remove(self, project: str, run_id: str, tag: str) -> list[str]:
        """Take a tag off a run, if it has it, and return those that it has then.

        Raises:
            NotFound: if there is no such run.
            StorageError: if the store does not answer.
        """
        self._runs.one(project, run_id)
        with self._counting:
            self._change("remove", project, run_id, tag)
        return self._runs.tags(project, run_id)

    def listed(self, project: str, *, after: str = "", limit: int) -> list[dict[str, Any]]:
        """Return tags of ``project`` from the one behind ``after``, each as ``tag`` and how many ``runs`` have it."""
        return self._reader.records(_STATEMENTS["tags"], {"project": project, "after": after, "limit": limit})

    def _change(self, statement: str, project: str, run_id: str, tag: str, **more: str) -> None:
        self._store.command(_STATEMENTS[statement], {"project": project, "run_id": run_id, "tag": tag, **more})
