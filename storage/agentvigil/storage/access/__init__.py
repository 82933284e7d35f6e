"""Who may do what: projects, keys, and what a caller who shows a key is allowed.

A key is shown once, when it is made; stored is its SHA-256. :class:`KeyBook` makes, lists and revokes keys in the
store, :class:`ProjectBook` knows the projects, and :class:`Access` says at every request, from memory, who is calling.
"""

from agentvigil.storage.access.access import Access
from agentvigil.storage.access.callers import ALL_SCOPES, DEFAULT_PROJECT, Caller, Scope
from agentvigil.storage.access.errors import (
    AccessError,
    GrantRefused,
    KeyMissing,
    KeyRefused,
    LabelInvalid,
    NotThisMachine,
    ScopeMissing,
)
from agentvigil.storage.access.key_book import KeyBook, KeyRecord, NewKey
from agentvigil.storage.access.project_book import Project, ProjectBook
from agentvigil.storage.access.this_machine import check_means_this_machine

__all__ = [
    "ALL_SCOPES",
    "DEFAULT_PROJECT",
    "Access",
    "AccessError",
    "Caller",
    "GrantRefused",
    "KeyBook",
    "KeyMissing",
    "KeyRecord",
    "KeyRefused",
    "LabelInvalid",
    "NewKey",
    "NotThisMachine",
    "Project",
    "ProjectBook",
    "Scope",
    "ScopeMissing",
    "check_means_this_machine",
]
