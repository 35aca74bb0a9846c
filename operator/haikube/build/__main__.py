"""``python3 -m haikube.build``: what the build pod runs."""

from __future__ import annotations

import sys

from haikube.build.layout import Layout
from haikube.build.main import main

if __name__ == "__main__":
    sys.exit(main(Layout(alone="--alone" in sys.argv)))
