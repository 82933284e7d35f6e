"""Sessions over HTTP: conversations, and the runs in one."""
