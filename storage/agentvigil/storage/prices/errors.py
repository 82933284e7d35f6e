"""What can go wrong with prices."""

from agentvigil.storage.errors import StorageError


class PriceError(StorageError):
    """Root of every error about prices; the message says what is wrong and with which value."""


class OverrideInvalid(PriceError):
    """A user's own price can not be taken as it is."""


class PackageUnknown(PriceError):
    """The installed genai-prices says something that this release can not tell to ClickHouse."""
