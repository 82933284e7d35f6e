"""Users of a ClickHouse server who see one project: the statements that make one.

There people ask the server itself, so it has to know who may see what: by rights to the tables that have a column
Project, and by row policies on them. What has no such column is left out, and so is the view of contents: it reads a
dictionary, whose rows no policy covers.
"""

import hashlib
from collections.abc import Sequence
from typing import Final

from agentvigil.storage.access.errors import NotOnClusters
from agentvigil.storage.access.labels import check_label
from agentvigil.storage.literals import quote
from agentvigil.storage.named_queries import load_queries
from agentvigil.storage.project_tables import project_tables_of
from agentvigil.storage.sql.tokens import quote_name
from agentvigil.storage.store import Store

_QUERIES: Final = load_queries("agentvigil.storage.access", "queries.sql")
_READS_DICTIONARIES: Final = frozenset({"span_content"})


def user_statements(store: Store, project: str, user: str, password: str) -> Sequence[str]:
    """Return the statements that let ``user`` read ``project`` in ``store``, and no other that it may not read already.

    They make the user, with ``password``, if it is not there. Run again they do no harm, and take in tables that came
    since. Of views the policies on what these read decide: they run as whoever asks.

    Raises:
        NotOnClusters: if ``store`` is one.
        LabelInvalid: if ``project`` or ``user`` is no label.
        QueryFailed: if the store does not answer.
    """
    if store.cluster:
        raise NotOnClusters(store.cluster)
    check_label("project", project)
    check_label("user", user)
    names = sorted(project_tables_of(store).filtered - _READS_DICTIONARIES)
    tables = [str(name) for (name,) in store.rows(_QUERIES["tables_of"], {"names": names})]
    digest = hashlib.sha256(password.encode()).hexdigest()
    to, policy = quote_name(user), quote_name(f"agentvigil {user} {project}")
    places = {name: f"{quote_name(store.database)}.{quote_name(name)}" for name in names}
    return [
        f"CREATE USER IF NOT EXISTS {to} IDENTIFIED WITH sha256_hash BY {quote(digest)} SETTINGS readonly = 2",
        # First the policies: at no moment may more be read.
        *(
            f"CREATE ROW POLICY OR REPLACE {policy} ON {places[name]} "
            f"FOR SELECT USING Project = {quote(project)} AS PERMISSIVE TO {to}"
            for name in tables
        ),
        *(f"GRANT SELECT ON {places[name]} TO {to}" for name in names),
    ]
