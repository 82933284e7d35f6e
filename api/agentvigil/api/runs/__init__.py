"""Runs over HTTP: lists, one with its account, its steps, why it failed."""
