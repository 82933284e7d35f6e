"""What users, people and programs think of runs: told, and taken in."""
