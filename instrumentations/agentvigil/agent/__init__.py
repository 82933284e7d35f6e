"""The front door for hand-made spans around agent code."""
