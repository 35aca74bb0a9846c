"""``python3 -m haikube.api``."""

from haikube.api.main import main

main()
