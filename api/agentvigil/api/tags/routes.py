"""``/v1/tags`` and ``/v1/runs/…/tags``."""

from typing import Annotated

from fastapi import APIRouter, Path, Query
from pydantic import BaseModel, Field

from agentvigil.api.access import Reads, Sends
from agentvigil.api.asked import Asked, Label
from agentvigil.api.cursors import cursor_of, position_of
from agentvigil.api.problems import described
from agentvigil.api.runs.routes import RunId
from agentvigil.api.tags.book import MOST_TAGS, TagBook

Tag = Annotated[Label, Path(examples=["to-review"], description="a label")]


class RunTags(BaseModel):
    """What a run is tagged with."""

    run_id: str
    tags: list[str] = Field(examples=[["to-review"]])


class TagCount(BaseModel):
    """A tag, and how many runs have it."""

    tag: str = Field(examples=["to-review"])
    runs: int


class TagPage(BaseModel):
    """Tags by their names."""

    items: list[TagCount]
    next_cursor: str | None = Field(description="cursor of the next page, null on the last one")


class TagList(Asked):
    """A page of tags."""

    limit: int = Field(50, ge=1, le=1000)
    cursor: str | None = Field(None, max_length=2048, description="`next_cursor` of the page before")


def tags_router(book: TagBook) -> APIRouter:
    """Return the routes for tags."""
    router = APIRouter(prefix="/v1", tags=["tags"])

    @router.get("/tags", response_model=TagPage)
    def list_tags(asker: Reads, asked: Annotated[TagList, Query()]) -> TagPage:
        """List the tags of runs, by their names, and how many runs have each."""
        said = {"project": asker.project, "list": "tags"}
        after = "" if asked.cursor is None else position_of(asked.cursor, said, (str,))[0]
        rows = book.listed(asker.project, after=after, limit=asked.limit + 1)
        next_cursor = None
        if len(rows) > asked.limit:
            rows = rows[: asked.limit]
            next_cursor = cursor_of(said, (rows[-1]["tag"],))
        return TagPage(items=[TagCount(**row) for row in rows], next_cursor=next_cursor)

    # A label may have slashes in it.
    @router.put(
        "/runs/{run_id}/tags/{tag:path}",
        response_model=RunTags,
        responses=described(404, 409),
        description=f"Give a run a tag; at most {MOST_TAGS}. Again does nothing. Needs scope `ingest`.",
    )
    def tag_run(asker: Sends, run_id: RunId, tag: Tag, _: Annotated[Asked, Query()]) -> RunTags:
        return RunTags(run_id=run_id, tags=book.put(asker.project, run_id, tag))

    @router.delete("/runs/{run_id}/tags/{tag:path}", response_model=RunTags, responses=described(404))
    def untag_run(asker: Sends, run_id: RunId, tag: Tag, _: Annotated[Asked, Query()]) -> RunTags:
        """Take a tag off a run; one that it does not have does nothing. Needs scope `ingest`."""
        return RunTags(run_id=run_id, tags=book.remove(asker.project, run_id, tag))

    return router
