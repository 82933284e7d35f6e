"""``/v1/queries``: saved queries, and what they find now."""

from functools import reduce
from operator import or_
from typing import Annotated, Any, Self

from fastapi import APIRouter, Path, Query, Response
from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from agentvigil.api.access import Administers, Reads
from agentvigil.api.asked import Asked
from agentvigil.api.problems import described
from agentvigil.api.searches.book import QueryBook, SavedQuery
from agentvigil.api.searches.resource import Scalar
from agentvigil.api.times import ToldTime

Name = Annotated[
    str,
    StringConstraints(pattern=r"^[A-Za-z0-9_.:@-]{1,64}$"),
    Path(examples=["dear-failures"], description="a label without slashes"),
]
Text = Annotated[str, StringConstraints(max_length=1000)]
Value = Text | bool | int | float


class Saving(BaseModel):
    """A request to save."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {"resource": "runs", "parameters": {"status": ["failure"], "since": "7d", "sort": "-cost_usd"}}
            ]
        },
    )

    resource: Text = Field(description="the list that is asked, as it stands in its path: `runs`")
    parameters: Annotated[dict[Text, Value | Annotated[list[Value], Field(max_length=100)]], Field(max_length=50)] = (
        Field(
            {},
            description="of that list's request; a time like `24h` is always the one before results are asked for",
        )
    )


class ToldQuery(BaseModel):
    """A saved query."""

    name: str = Field(examples=["dear-failures"])
    resource: str = Field(examples=["runs"])
    parameters: dict[str, str | list[str]] = Field(examples=[{"status": ["failure"], "since": "7d"}])
    created_at: ToldTime
    changed_at: ToldTime
    results: str = Field(examples=["/v1/queries/dear-failures/results"], description="where to go from here")

    @classmethod
    def of(cls, saved: SavedQuery) -> Self:
        """Return what is told of ``saved``."""
        return cls(
            name=saved.name,
            resource=saved.resource,
            parameters=saved.parameters,
            created_at=saved.created_at,
            changed_at=saved.changed_at,
            results=f"/v1/queries/{saved.name}/results",
        )


class QueryPage(BaseModel):
    """Saved queries by their names, all there are."""

    items: list[ToldQuery]
    next_cursor: None = Field(default=None, description="a project has few enough for one page")


class ResultsAsked(Asked):
    """A page of results."""

    limit: int | None = Field(None, ge=1, le=1000, description="instead of the one that was saved")
    cursor: str | None = Field(None, max_length=2048, description="`next_cursor` of the page before")


def searches_router(book: QueryBook) -> APIRouter:
    """Return the routes under ``/v1/queries``."""
    router = APIRouter(prefix="/v1/queries", tags=["saved queries"])
    pages: Any = reduce(or_, (resource.page for resource in book.resources.values()))

    @router.get("", response_model=QueryPage)
    def list_queries(asker: Reads, _: Annotated[Asked, Query()]) -> QueryPage:
        """List the saved queries of the project, by their names."""
        return QueryPage(items=[ToldQuery.of(saved) for saved in book.listed(asker.project)])

    @router.get("/{name}", response_model=ToldQuery, responses=described(404))
    def get_query(asker: Reads, name: Name, _: Annotated[Asked, Query()]) -> ToldQuery:
        """Tell one saved query."""
        return ToldQuery.of(book.one(asker.project, name))

    @router.put("/{name}", response_model=ToldQuery, responses=described(409))
    def save_query(asker: Administers, name: Name, saving: Saving, _: Annotated[Asked, Query()]) -> ToldQuery:
        """Save a query, in the place of one that has its name. All who read the project see it. Needs scope `admin`."""
        parameters: dict[str, Scalar | list[Scalar]] = dict(saving.parameters)
        return ToldQuery.of(book.put(asker.project, name, saving.resource, parameters))

    @router.delete("/{name}", status_code=204, response_class=Response, responses=described(404))
    def remove_query(asker: Administers, name: Name, _: Annotated[Asked, Query()]) -> None:
        """Take a saved query away. Needs scope `admin`."""
        book.remove(asker.project, name)

    @router.get("/{name}/results", response_model=pages, responses=described(404, 409))
    def get_results(asker: Reads, name: Name, asked: Annotated[ResultsAsked, Query()]) -> BaseModel:
        """Answer as the list itself would to what was saved."""
        return book.results(asker.project, name, limit=asked.limit, cursor=asked.cursor)

    return router
