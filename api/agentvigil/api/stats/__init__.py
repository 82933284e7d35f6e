"""What happened in a time, at one glance."""
