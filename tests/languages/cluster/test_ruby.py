"""Ruby on the cluster: Sinatra, and Rails as it is generated."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from fileserver import file_server
from languages.cluster.conftest import Live
from languages.journey import POLITE, CacheSign
from languages.mirrors.gems import gem_mirror
from languages.mirrors.served import served
from languages.ruby import apps
from terminal import Make, Person

PUMA = POLITE | {apps.PUMA_DEADLOCK}


@pytest.fixture(scope="module")
def here() -> Iterator[str]:
    """The gem server as the generators on this machine reach it."""
    with served(gem_mirror()) as url:
        yield url


@pytest.fixture(scope="module")
def mirror(person: Person) -> Iterator[dict[str, str]]:
    """The config vars that name the gem server as builds reach it."""
    with file_server(person) as server:
        server.fill(gem_mirror())
        yield {"BUNDLE_MIRROR__ALL": server.url}


def test_sinatra(workspace: Make, live: Live, here: str, mirror: dict[str, str]) -> None:
    app = workspace("sinatra")
    apps.sinatra(app.folder, here)
    app.configure(mirror)

    sign = CacheSign(reused="Using the gems of the last build")
    journey = live("ruby sinatra", app, sign, polite=PUMA)

    assert journey.command == "bundle exec rackup config.ru -p ${PORT:-5000}"
    assert journey.body == "Sinatra on web.1 in production"


def test_rails(workspace: Make, live: Live, here: str, mirror: dict[str, str]) -> None:
    app = workspace("rails")
    apps.rails(app.folder, here)
    app.configure(mirror)

    # production redirects to TLS, as everywhere
    sign = CacheSign(reused="Using the assets of the last build")
    journey = live("ruby rails", app, sign, path="/up", secure=True, polite=PUMA)

    assert "Using the gems of the last build" in journey.again.log
    assert journey.command == "bin/rails server -p ${PORT:-5000} -e $RAILS_ENV"
    assert "background-color: green" in journey.body
