"""``python3 -m haikube.operator``."""

from haikube.operator.main import main

main()
