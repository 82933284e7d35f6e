"""What can go wrong with the store, as far as a caller would act on it differently."""

from collections.abc import Sequence
from typing import Final


class StorageError(Exception):
    """Root of every error that storage raises on purpose."""


class DataDirectoryHeld(StorageError):
    """Another process owns the data directory; an embedded ClickHouse has exactly one owner."""

    def __init__(self, directory: str, holder: str) -> None:
        super().__init__(
            f"{directory} is in use by {holder}; stop that process, or choose another directory with --data"
        )
        self.directory, self.holder = directory, holder


class StoreUnreachable(StorageError):
    """The store can not be opened at all: a wrong URL, a server that is away, a directory that is no store."""


class StoreTooOld(StorageError):
    """The ClickHouse behind the URL lacks what the schema needs."""

    def __init__(self, found: str, needed: str) -> None:
        super().__init__(f"ClickHouse is version {found}, agentvigil needs {needed} or newer; upgrade the server")
        self.found, self.needed = found, needed


class SchemaTooNew(StorageError):
    """The database was written by a newer agentvigil than this one."""

    def __init__(self, found: int, supported: int) -> None:
        super().__init__(
            f"database schema is version {found}, this agentvigil knows up to {supported}; "
            "upgrade agentvigil, or name another database with --database"
        )
        self.found, self.supported = found, supported


class SchemaTooOld(StorageError):
    """The database lacks what this release writes to, and it is not for this process to make it."""

    def __init__(self, database: str, missing: Sequence[str]) -> None:
        names = ", ".join(missing[:3]) + (", ..." if len(missing) > 3 else "")
        super().__init__(
            f"database {database} does not have this release's schema: {len(missing)} changes are missing ({names}); "
            "bring it there with `agentvigil migrate`, as a user who may"
        )
        self.missing = tuple(missing)


class SchemaOfCluster(StorageError):
    """The database is spread over a cluster, whose schema is brought forward by statements that people run."""

    def __init__(self, cluster: str, applied: int) -> None:
        super().__init__(
            f"this database is on the cluster {cluster}, and changes of its schema are missing; run there what "
            f"`agentvigil migrate --cluster {cluster} --print --after {applied}` prints"
        )


class MigrationChanged(StorageError):
    """A migration that was applied is not the one this agentvigil carries under the same number."""

    def __init__(self, name: str) -> None:
        super().__init__(
            f"migration {name} differs from the one this database was made with; "
            "install the agentvigil that made it, or name another database with --database"
        )
        self.name = name


class QueryFailed(StorageError):
    """ClickHouse refused or failed a statement.

    ``code`` is ClickHouse's error code, 0 when there is none because the server could not be reached. The message names
    code and error only; ``detail`` is ClickHouse's own text, which may quote the data it failed on and therefore must
    not be logged or answered where telemetry was involved.
    """

    def __init__(self, code: int, name: str, detail: str) -> None:
        super().__init__(f"ClickHouse error {code} ({name})" if code else f"ClickHouse did not answer ({name})")
        self.code, self.name, self.detail = code, name, detail


# https://github.com/ClickHouse/ClickHouse/blob/master/src/Common/ErrorCodes.cpp
BAD_DATA_CODES: Final = frozenset(
    {
        6,  # CANNOT_PARSE_TEXT
        26,  # CANNOT_PARSE_QUOTED_STRING
        27,  # CANNOT_PARSE_INPUT_ASSERTION_FAILED
        32,  # ATTEMPT_TO_READ_AFTER_EOF
        33,  # CANNOT_READ_ALL_DATA
        36,  # BAD_ARGUMENTS
        38,  # CANNOT_PARSE_DATE
        41,  # CANNOT_PARSE_DATETIME
        53,  # TYPE_MISMATCH
        69,  # ARGUMENT_OUT_OF_BOUND
        72,  # CANNOT_PARSE_NUMBER
        117,  # INCORRECT_DATA
        128,  # TOO_LARGE_ARRAY_SIZE
        130,  # CANNOT_READ_ARRAY_FROM_TEXT
        131,  # TOO_LARGE_STRING_SIZE
        190,  # SIZES_OF_ARRAYS_DONT_MATCH
        321,  # VALUE_IS_OUT_OF_RANGE_OF_DATA_TYPE
        407,  # DECIMAL_OVERFLOW
        436,  # PROTOBUF_BAD_CAST
        444,  # UNKNOWN_PROTOBUF_FORMAT
        636,  # CANNOT_EXTRACT_TABLE_STRUCTURE
        691,  # UNKNOWN_ELEMENT_OF_ENUM
    }
)
"""Codes that the bytes of a request can cause: the same bytes will fail again."""

STORE_TROUBLE_CODES: Final = frozenset(
    {
        0,  # no answer
        16,  # NO_SUCH_COLUMN_IN_TABLE
        20,  # NUMBER_OF_COLUMNS_DOESNT_MATCH
        60,  # UNKNOWN_TABLE
        74,  # CANNOT_READ_FROM_FILE_DESCRIPTOR
        75,  # CANNOT_WRITE_TO_FILE_DESCRIPTOR
        76,  # CANNOT_OPEN_FILE
        81,  # UNKNOWN_DATABASE
        159,  # TIMEOUT_EXCEEDED
        164,  # READONLY
        192,  # UNKNOWN_USER
        194,  # REQUIRED_PASSWORD
        201,  # QUOTA_EXCEEDED
        202,  # TOO_MANY_SIMULTANEOUS_QUERIES
        209,  # SOCKET_TIMEOUT
        210,  # NETWORK_ERROR
        218,  # TABLE_IS_DROPPED
        225,  # NO_ZOOKEEPER
        241,  # MEMORY_LIMIT_EXCEEDED
        242,  # TABLE_IS_READ_ONLY
        243,  # NOT_ENOUGH_SPACE
        252,  # TOO_MANY_PARTS
        279,  # ALL_CONNECTION_TRIES_FAILED
        319,  # UNKNOWN_STATUS_OF_INSERT
        394,  # QUERY_WAS_CANCELLED
        425,  # SYSTEM_ERROR
        439,  # CANNOT_SCHEDULE_TASK
        473,  # DEADLOCK_AVOIDED
        497,  # ACCESS_DENIED
        516,  # AUTHENTICATION_FAILED
        999,  # KEEPER_EXCEPTION
    }
)
"""Codes that say that the store is in trouble, whatever was sent: the same bytes may well succeed later."""
