"""Agents, and their versions."""
