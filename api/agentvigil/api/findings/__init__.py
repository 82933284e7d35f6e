"""Findings and incidents over HTTP: what moved or goes wrong, since when, and what became of it."""
