"""Apps that nobody here wrote: what the generators of the frameworks give, made at test time."""

from __future__ import annotations

import json
import subprocess
import sys
from functools import cache
from pathlib import Path

CACHE = Path.home() / ".cache" / "haikube" / "tests"


@cache
def _django_admin() -> Path:
    venv = CACHE / "django"
    if not (venv / "bin" / "django-admin").exists():
        subprocess.run([sys.executable, "-m", "venv", venv], check=True)
        subprocess.run([venv / "bin" / "pip", "install", "-q", "django~=5.2.0"], check=True)
    return venv / "bin" / "django-admin"


def django(folder: Path, greeting: str = "It works") -> None:
    """Write ``django-admin startproject`` with a view of one line, gunicorn and whitenoise."""
    subprocess.run([_django_admin(), "startproject", "mysite", folder], check=True)
    (folder / "requirements.txt").write_text("django~=5.2.0\ngunicorn\nwhitenoise\n")
    (folder / "Procfile").write_text("web: gunicorn mysite.wsgi\nqueue: python manage.py shell\n")
    settings = folder / "mysite" / "settings.py"
    settings.write_text(
        settings.read_text().replace("ALLOWED_HOSTS = []", 'ALLOWED_HOSTS = ["*"]')
        + 'STATIC_ROOT = BASE_DIR / "staticfiles"\n'
    )
    (folder / "mysite" / "urls.py").write_text(
        "import os\n"
        "from django.http import HttpResponse\n"
        "from django.urls import path\n\n"
        f'urlpatterns = [path("", lambda request: HttpResponse("{greeting} "\n'
        '    + os.environ["DYNO"] + " " + os.environ.get("GREETING", "")))]\n'
    )


USUAL = (
    "boto3 celery dj-database-url django-cors-headers django-filter djangorestframework pillow "
    "psycopg[binary] redis requests sentry-sdk"
)


def django_with_usual_packages(folder: Path) -> None:
    """Write ``django`` with what Django apps usually bring: an API, a queue, a database, images."""
    django(folder)
    with (folder / "requirements.txt").open("a") as file:
        file.write("\n".join(USUAL.split()) + "\n")
    settings = folder / "mysite" / "settings.py"
    apps = '    "rest_framework",\n    "corsheaders",\n    "django_filters",\n'
    text = settings.read_text().replace("INSTALLED_APPS = [\n", f"INSTALLED_APPS = [\n{apps}")
    settings.write_text(text)


def fastapi(folder: Path) -> None:
    """Write the first example of FastAPI's manual, for uv; the lock file is left to uv."""
    (folder / "pyproject.toml").write_text(
        '[project]\nname = "demo"\nversion = "1"\nrequires-python = ">=3.11"\n'
        'dependencies = ["fastapi", "uvicorn"]\n'
    )
    (folder / ".python-version").write_text("3.13\n")
    (folder / "Procfile").write_text("web: uvicorn main:app --host 0.0.0.0 --port $PORT\n")
    (folder / "main.py").write_text(
        "from fastapi import FastAPI\n\napp = FastAPI()\n\n\n"
        '@app.get("/")\ndef root() -> dict[str, str]:\n    return {"hello": "fastapi"}\n'
    )


def node_red(folder: Path) -> None:
    """Write an app that is Node-RED as released: an editor, some 300 packages."""
    (folder / "package.json").write_text(
        json.dumps(
            {
                "name": "flows",
                "version": "1.0.0",
                "private": True,
                "scripts": {"start": "node-red --userDir /tmp/flows --port $PORT"},
                "dependencies": {"node-red": "4.1.15"},
                "engines": {"node": "24.x"},
            }
        )
    )


def express(folder: Path) -> None:
    """Write what ``express-generator`` gives, unmodified."""
    subprocess.run(
        ["npx", "--yes", "express-generator@4.16.1", "--no-view", "--git", "--force", str(folder)],
        check=True,
        capture_output=True,
    )


def plain(folder: Path, body: str = "hello") -> None:
    """Write the smallest Python app: standard library only, so a build is quick."""
    (folder / "requirements.txt").write_text("")
    (folder / "Procfile").write_text("web: python app.py\n")
    (folder / "app.py").write_text(
        "import http.server, os\n\n\n"
        "class Handler(http.server.BaseHTTPRequestHandler):\n"
        "    def do_GET(self):\n"
        f"        body = ({body!r} + ' ' + os.environ['DYNO']).encode()\n"
        "        self.send_response(200)\n"
        "        self.send_header('Content-Length', str(len(body)))\n"
        "        self.end_headers()\n"
        "        self.wfile.write(body)\n\n\n"
        "port = int(os.environ['PORT'])\n"
        "http.server.ThreadingHTTPServer(('', port), Handler).serve_forever()\n"
    )
