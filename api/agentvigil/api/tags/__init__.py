"""Tags: labels that people and programs give to runs."""
