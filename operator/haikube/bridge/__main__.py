"""``python3 -m haikube.bridge PROFILE``."""

from haikube.bridge.main import main

main()
