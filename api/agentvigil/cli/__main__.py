"""``python -m agentvigil.cli``."""

from agentvigil.cli import main

main()
