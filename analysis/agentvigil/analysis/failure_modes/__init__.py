"""Seven ways in which agents go wrong, each found by a statistic of what was counted: no model reads anything."""
