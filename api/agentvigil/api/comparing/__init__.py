"""Comparisons of an agent's runs with others of it."""
