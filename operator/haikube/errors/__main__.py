"""``python -m haikube.errors``."""

from haikube.errors.main import main

main()
