"""The smallest app that shows a dyno at work."""

import os

from flask import Flask

app = Flask(__name__)


@app.get("/")
def hello() -> str:
    """Say which dyno of which release answers."""
    dyno, release = os.environ["DYNO"], os.environ["HEROKU_RELEASE_VERSION"]
    return f"Hello from {dyno}, release {release}, on your own Kubernetes.\n"
