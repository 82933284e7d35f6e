"""Sums over time, by what is asked for."""
