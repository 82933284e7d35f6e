"""Compares runs with other runs: a version with the one before, a window with a baseline."""
