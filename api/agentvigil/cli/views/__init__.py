"""How answers of the API look on a terminal."""
