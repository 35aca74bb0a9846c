"""Templates of child objects; every value goes through ``tojson``."""
