"""What is normal for an agent: which of its runs others are compared with."""
