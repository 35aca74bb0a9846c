"""Client libraries of Heroku's API: heroku3 for Python and heroku-client for Node.js."""

from __future__ import annotations

import json
import re

import pytest
import requests

from heroku.person import CLIENTS, Ada
from heroku.python_client import heroku3
from terminal import eventually

_NODE = """
const Heroku = require(process.argv[1])
const [host, token, app] = process.argv.slice(2)
const heroku = new Heroku({ host, token })
const said = {}
async function main () {
  said.email = (await heroku.get('/account')).email
  said.app = (await heroku.get(`/apps/${app}`)).name
  said.config = await heroku.patch(`/apps/${app}/config-vars`, { body: { FROM_NODE: 'yes' } })
  said.releases = (await heroku.get(`/apps/${app}/releases`)).map(each => each.description)
  said.scaled = await heroku.patch(`/apps/${app}/formation`, {
    body: { updates: [{ type: 'queue', quantity: 1 }] }
  })
  said.back = await heroku.patch(`/apps/${app}/formation/queue`, { body: { quantity: 0 } })
  await heroku.get('/apps/no-such-app').catch(error => { said.missing = error.body })
  console.log(JSON.stringify(said))
}
main().catch(error => { console.error(error); process.exit(1) })
"""


def key_of(ada: Ada) -> str:
    found = re.search(r"password (\S+)", (ada.home / ".netrc").read_text())
    assert found
    return found[1]


@pytest.fixture
def python(ada: Ada, monkeypatch: pytest.MonkeyPatch) -> heroku3.api.Heroku:
    monkeypatch.setattr(heroku3.api, "HEROKU_URL", ada.environment["HEROKU_HOST"])
    return heroku3.from_key(key_of(ada))


def test_heroku3_reads_and_changes_an_app(ada: Ada, python: heroku3.api.Heroku) -> None:
    assert python.is_authenticated
    assert python.account().email == ada.names["email"]
    app = python.apps()[ada.names["app"]]
    assert app.web_url == f"http://{app.name}.localhost:{ada.names['port']}/"

    config = app.config()
    config["FROM_PYTHON"] = 'it\'s \\ "odd" $HOME\n'
    assert app.config()["FROM_PYTHON"] == 'it\'s \\ "odd" $HOME\n'
    newest = max(app.releases(), key=lambda release: release.version)
    assert "FROM_PYTHON" in newest.description
    del config["FROM_PYTHON"]
    assert "FROM_PYTHON" not in app.config().to_dict()

    app.process_formation()["web"].scale(2)
    assert app.process_formation()["web"].quantity == 2
    eventually(lambda: {dyno.name for dyno in app.dynos()} >= {"web.1", "web.2"}, "two dynos")
    app.process_formation()["web"].scale(1)

    app.enable_maintenance_mode()
    assert python.app(app.name).maintenance
    app.disable_maintenance_mode()


def test_heroku3_creates_and_destroys(ada: Ada, python: heroku3.api.Heroku) -> None:
    name = f"py-{ada.names['suffix']}"
    app = python.create_app(name=name)
    assert app.name == name
    app.add_domain(f"{name}.example.org", None)
    assert f"{name}.example.org" in {domain.hostname for domain in app.domains()}
    app.delete()
    with pytest.raises((requests.HTTPError, KeyError)):
        python.app(name)


def test_heroku_client_reads_and_changes_an_app(ada: Ada) -> None:
    library = str(CLIENTS / "heroku-client")
    host = ada.environment["HEROKU_HOST"]
    said = json.loads(ada.must("node", "-e", _NODE, library, host, key_of(ada), ada.names["app"]))
    assert said["email"] == ada.names["email"]
    assert said["app"] == ada.names["app"]
    assert said["config"]["FROM_NODE"] == "yes"
    assert any("FROM_NODE" in each for each in said["releases"])
    assert said["scaled"][0]["quantity"] == 1
    assert said["back"]["quantity"] == 0
    assert said["missing"]["id"] == "not_found"
