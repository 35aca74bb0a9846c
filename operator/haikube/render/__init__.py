"""Templates of child objects. Logic stays in ``plan``; every value goes through ``tojson``."""
