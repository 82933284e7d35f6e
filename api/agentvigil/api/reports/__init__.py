"""Reports about what arrives: how it is read, and what of it is withheld."""
