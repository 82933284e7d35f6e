"""Keys and projects over HTTP."""
