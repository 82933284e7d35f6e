"""What is counted over many runs or steps, written once for everything that tells sums."""
