"""PHP on the cluster: a Composer app behind nginx, and MediaWiki as released."""

from __future__ import annotations

from pathlib import Path

from fileserver import file_server
from languages.cluster.conftest import Live
from languages.journey import CacheSign
from languages.mirrors.composer import composer_repository, composer_workshop, describe
from languages.php import apps
from terminal import Make, Person


def test_composer_packages(workspace: Make, live: Live, person: Person) -> None:
    app = workspace("routes")
    releases = composer_workshop().scratch / "repository"
    with file_server(person) as server:
        with composer_repository() as here:
            apps.composer(app.folder, here)
        move_lock(app.folder / "composer.lock", here, server.url)
        describe(releases, server.url)
        server.fill(releases)
        app.configure({"BUILDPACK_PHP_REPOSITORY": server.url})

        sign = CacheSign(reused="Nothing to install, update or remove")
        journey = live("php composer", app, sign, path="/hello/Ada")

    assert journey.command == "vendor/bin/heroku-php-nginx -C nginx_app.conf public/"
    assert journey.body == "Hello, Ada from web.1 intl 1"


def test_mediawiki(workspace: Make, live: Live) -> None:
    app = workspace("mediawiki")
    apps.mediawiki(app.folder)

    sign = CacheSign(reused="from the cache")
    journey = live("php MediaWiki", app, sign, path="/mw-config/index.php")

    assert journey.command == "heroku-php-apache2"
    assert "MediaWiki 1.43" in journey.body


def move_lock(lock: Path, old: str, new: str) -> None:
    """Let a lock file name another server: Composer writes whole addresses into it."""
    text = lock.read_text()
    assert old in text
    lock.write_text(text.replace(old, new))
