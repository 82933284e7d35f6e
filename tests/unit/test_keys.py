"""Who may send, and where what is sent goes."""

import pytest

from agentvigil.receiver.errors import Unauthenticated
from agentvigil.receiver.keys import project_of_sender
from access_by_key import access_by
