"""``python -m haikube.drains``."""

from haikube.drains.main import main

main()
