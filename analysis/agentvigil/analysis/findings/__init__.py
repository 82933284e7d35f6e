"""What analysis found, and what became of it."""
