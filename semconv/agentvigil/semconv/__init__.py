"""The vocabulary: attribute names, what is content, and how other spellings become the current ones.

Free of dependencies, so that an application can import it alone to write spans by hand, and the server can compile
the same data into SQL.
"""

from agentvigil.semconv._version import __version__
from agentvigil.semconv.names import SCHEMA_URL

__all__ = ["SCHEMA_URL", "__version__"]
