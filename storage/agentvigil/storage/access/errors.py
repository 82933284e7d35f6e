"""What can go wrong with a key. No message tells an unknown key from a revoked or an expired one."""

from collections.abc import Sequence


class AccessError(Exception):
    """Root of every error about who may do what; the message is for the caller."""


class KeyMissing(AccessError):
    """A key is needed, and none was shown."""

    def __init__(self) -> None:
        super().__init__(
            "a key is needed here: send it as 'Authorization: Bearer KEY'; `agentvigil keys create` makes one"
        )


class KeyRefused(AccessError):
    """The key that was shown is unknown, was revoked or has expired."""

    def __init__(self) -> None:
        super().__init__(
            "this key is not valid: it is unknown here, was revoked or has expired; "
            "`agentvigil keys create` makes another one"
        )


class ScopeMissing(AccessError):
    """The key is valid and does not allow this."""

    def __init__(self, scope: str, key_id: str, has: Sequence[str]) -> None:
        super().__init__(
            f"key {key_id or '(none)'} does not allow this: it needs scope {scope} and has {', '.join(has) or 'none'}; "
            f"`agentvigil keys create --scope {','.join([*has, scope])}` makes one that does"
        )
        self.scope, self.key_id = scope, key_id


class GrantRefused(AccessError):
    """A caller would give away what it does not have."""


class NotThisMachine(AccessError):
    """Without a key, a request came by another machine's name or from another place's page."""


class NotOnClusters(AccessError):
    """A user who sees one project was asked for on a cluster."""

    def __init__(self, cluster: str) -> None:
        super().__init__(
            f"this database is on the cluster {cluster}, where nobody has tried whether row policies "
            "hold through Distributed tables; give people keys of a project and the API, or a server of their own"
        )


class LabelInvalid(AccessError):
    """A name of a project or key, or a description, is no label."""

    def __init__(self, what: str, given: str) -> None:
        super().__init__(
            f"{what} {given[:80]!r} is not a label: use 1 to 64 letters, digits and any of _ . : / @ -, and no spaces"
        )
        self.what, self.given = what, given
