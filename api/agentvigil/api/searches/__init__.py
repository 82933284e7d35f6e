"""Saved queries: requests to other resources, kept by name."""
