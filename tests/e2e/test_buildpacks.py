"""Buildpacks of somebody else: by git URL, several in order, and URLs that must not be used."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import sample_apps as apps
from fileserver import file_server, repository_server
from terminal import Person, Workspace, eventually

Make = Callable[[str], Workspace]

SCRIPTS = {
    "detect": '[ -f "$1/Procfile" ] || exit 1\necho "Greeter"\n',
    "compile": r"""
set -eo pipefail
build_dir=$1 env_dir=$3 here=$(cd "$(dirname "$0")/.." && pwd)
case "$STACK" in
  heroku-22 | heroku-24) ;;
  *) echo " !     Stack $STACK is not supported by this buildpack." >&2; exit 1 ;;
esac
echo "-----> Installing greeter for $STACK"
mkdir -p "$build_dir/.greeter" "$build_dir/.profile.d"
printf '#!/bin/sh\necho "%s from a third party"\n' "$(cat "$env_dir/GREETING")" \
  > "$build_dir/.greeter/greet"
chmod +x "$build_dir/.greeter/greet"
echo 'export PATH="$HOME/.greeter:$PATH"' > "$build_dir/.profile.d/greeter.sh"
echo "export PATH=\"$build_dir/.greeter:\$PATH\"" > "$here/export"
""",
    "release": "printf -- '---\\ndefault_process_types:\\n  web: false\\n'\n",
}
"""Written as classic buildpacks are: bash, a check of $STACK, .profile.d, an export file."""

REDIRECT = """
import http.server

class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(302)
        self.send_header("Location", "http://169.254.169.254" + self.path)
        self.end_headers()

http.server.HTTPServer(("", 8000), Handler).serve_forever()
"""


@pytest.fixture
def buildpack(person: Person, tmp_path: Path) -> Iterator[str]:
    """Serve a third-party buildpack over smart HTTP; gives its URL."""
    folder = tmp_path / "pack"
    (folder / "bin").mkdir(parents=True)
    for name, text in SCRIPTS.items():
        (folder / "bin" / name).write_text(f"#!/usr/bin/env bash\n{text}")
        (folder / "bin" / name).chmod(0o755)
    with repository_server(person, folder) as url:
        yield f"{url}#main"


@pytest.fixture
def redirecting(person: Person, tmp_path: Path) -> Iterator[str]:
    """Serve redirects to the address where clouds keep credentials; gives the base URL."""
    script = tmp_path / "served" / "redirect.py"
    script.parent.mkdir()
    script.write_text(REDIRECT)
    with file_server(person, "exec python3 /files/served/redirect.py") as server:
        server.fill(script.parent)
        yield server.url


@pytest.fixture
def heroku_24(person: Person) -> Iterator[str]:
    """Offer the default stack under a name that third parties know; gives the stack's name."""
    stack = person.get("stack", "debian-13")
    assert stack is not None
    images = {name: stack["spec"][name] for name in ("runImage", "buildImage")}
    metadata = {"name": "debian-13-known"}
    spec = {**images, "alias": "heroku-24"}
    body = {"apiVersion": stack["apiVersion"], "kind": "Stack", "metadata": metadata, "spec": spec}
    person.kubectl("apply", "-f", "-", stdin=json.dumps(body))
    yield metadata["name"]
    person.kubectl("delete", "stack", metadata["name"], "--wait=false")


@pytest.fixture
def named(person: Person, buildpack: str) -> Iterator[str]:
    """Give the buildpack a name in this cluster, as its administrator does."""
    name = "acme/greeter"
    set_on_operator(person, f"HAIKUBE_BUILDPACKS={json.dumps({name: buildpack})}")
    yield name
    set_on_operator(person, "HAIKUBE_BUILDPACKS-")


def set_on_operator(person: Person, setting: str) -> None:
    operator = ("-n", "haikube-system", "deployment/haikube-operator")
    person.kubectl("set", "env", *operator, setting)
    person.kubectl("rollout", "status", *operator, "--timeout=120s")


def configure(app: Workspace, **config: str) -> None:
    patch = json.dumps({"stringData": config})
    app.person.kubectl("patch", "secret", f"{app.app}-config", "-p", patch)


def told(app: Workspace) -> str:
    """Return all that anybody who may look at the app can read about its builds."""
    everything = app.person.kubectl("get", "apps,builds,jobs,pods,events", "-o", "yaml")
    return everything + app.person.haikube("builds", "logs", "--app", app.app, check=False).stdout


def test_a_third_partys_buildpack_runs_unmodified_before_ours(
    workspace: Make, buildpack: str, heroku_24: str
) -> None:
    app = workspace("third")
    app.person.kubectl(
        "patch", "app", app.app, "--type=merge", "-p", json.dumps({"spec": {"stack": heroku_24}})
    )
    eventually(lambda: app.person.get("secret", f"{app.app}-config"), "the config")
    configure(app, GREETING="bonjour")
    apps.plain(app.folder)
    main = app.folder / "app.py"
    main.write_text(main.read_text().replace("'hello'", "os.popen('greet').read().strip()"))
    app.write(".buildpacks", f"{buildpack}\nheroku/python\n")
    app.write("bin/post_compile", '#!/bin/sh\necho "python says: $(greet)"\n')
    (app.folder / "bin" / "post_compile").chmod(0o755)
    app.commit()

    said = app.push()

    assert f"1. {buildpack}" in said
    assert "-----> Installing greeter for heroku-24" in said
    assert "python says: bonjour from a third party" in said
    eventually(lambda: app.answers("bonjour from a third party web.1"), "200")


@pytest.mark.alone
def test_a_name_stands_for_what_the_cluster_says(
    workspace: Make, named: str, heroku_24: str
) -> None:
    app = workspace("named")
    spec = {"stack": heroku_24, "buildpacks": [{"name": named}]}
    app.person.kubectl("patch", "app", app.app, "--type=merge", "-p", json.dumps({"spec": spec}))
    eventually(lambda: app.person.get("secret", f"{app.app}-config"), "the config")
    configure(app, GREETING="salut")
    app.write("Procfile", "web: exec python3 -m http.server $PORT --directory .greeter\n")
    app.commit()

    said = app.push()

    assert f"-----> Using buildpack: {named}" in said
    assert "-----> Installing greeter for heroku-24" in said


def test_a_url_with_a_password_is_refused_and_shown_nowhere(workspace: Make) -> None:
    app = workspace("password")
    url = "https://me:hunter2@git.example.com/pack.git"
    patch = json.dumps({"spec": {"buildpacks": [{"url": url}]}})
    refused = app.person.kubectl("patch", "app", app.app, "--type=merge", "-p", patch, check=False)
    assert "without user or password" in refused

    eventually(lambda: app.person.get("secret", f"{app.app}-config"), "the config")
    configure(app, BUILDPACK_URL=url)
    apps.plain(app.folder)
    app.commit()
    said = app.push(check=False)

    assert "Buildpack https://git.example.com/pack.git could not be fetched" in said
    assert "user name or password" in said
    assert "hunter2" not in said + told(app)


@pytest.mark.parametrize("path", ["pack.tgz", "pack.git"])
def test_a_url_that_redirects_to_a_private_address_is_refused(
    workspace: Make, redirecting: str, path: str
) -> None:
    app = workspace("redirect")
    apps.plain(app.folder)
    app.write("app.json", json.dumps({"buildpacks": [{"url": f"{redirecting}/{path}"}]}))
    app.commit()
    said = app.push(check=False)

    assert "a redirect to the private address 169.254.169.254 is refused" in said
    [made] = app.person.items("builds", app.app)
    assert made["status"]["failure"]["reason"] == "BuildpackNotFound"
