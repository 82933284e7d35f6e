"""Where the time of an agent's runs goes."""
