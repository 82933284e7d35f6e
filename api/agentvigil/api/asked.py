"""What every request may say, and how names are written; nothing here needs a server."""

from typing import Annotated, Final

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

LABEL: Final = r"^[A-Za-z0-9_.:/@-]{1,64}$"

Label = Annotated[str, StringConstraints(pattern=LABEL)]
"""A name that may stand anywhere: letters, digits and ``_.:/@-``, 64 at most, so that nobody writes content into it."""


class Asked(BaseModel):
    """What every request may say in its query; others are refused by name."""

    model_config = ConfigDict(extra="forbid")

    project: Label | None = Field(
        None, description="for keys of every project: which one is meant, `default` if none is said"
    )
