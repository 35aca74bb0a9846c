"""PHP apps: one file, Composer packages behind nginx, MediaWiki, and what may go wrong."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from shutil import copytree
from urllib.request import urlopen

import pytest

from haikube.build.harness.dyno import Answer, booted
from haikube.build.harness.rehearsal import Stage
from languages.conftest import Note
from languages.mirrors.composer import composer_repository
from languages.php import apps
from languages.proof import SLUG_RATIO, boot_web, build_app, one_off, prove, refused

pytestmark = [pytest.mark.stack, pytest.mark.timeout(1200)]

LONE = {"WEB_CONCURRENCY": "1"}
SMALL = {"MEMORY_AVAILABLE": "512"}


@pytest.fixture(scope="module")
def repository() -> Iterator[str]:
    with composer_repository() as url:
        yield url


@pytest.fixture(scope="module")
def platform(stage: Stage, repository: str) -> Stage:
    """The stage of a platform that replaces Composer's public repository."""
    env = {**stage.platform_env, "BUILDPACK_PHP_REPOSITORY": repository}
    return replace(stage, platform_env=env)


@pytest.fixture(scope="module")
def generated(tmp_path_factory: pytest.TempPathFactory, repository: str) -> Path:
    folder = tmp_path_factory.mktemp("generated") / "routes"
    apps.composer(folder, repository)
    return folder


@pytest.fixture
def routes(generated: Path, tmp_path: Path) -> Path:
    return Path(copytree(generated, tmp_path / "app"))


@pytest.fixture
def page(tmp_path: Path) -> Path:
    apps.plain(tmp_path / "app")
    return tmp_path / "app"


def edit(path: Path, old: str, new: str) -> None:
    """Replace text that must be there."""
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def test_a_page_of_one_file(platform: Stage, page: Path, note: Note) -> None:
    proof = prove(platform, page, config=SMALL)

    note("php page (apache)", proof)
    assert proof.first.processes == {"web": "heroku-php-apache2"}
    assert proof.web.status == 200
    assert proof.web.body == "PHP 8 on web.1 by fpm-fcgi"
    assert "heroku-php-apache2: 4 workers of 128 MB in 512 MB" in proof.web.output
    assert proof.web.exit_code == 0
    assert "from the cache" in proof.again.log
    assert not proof.changed
    assert proof.weight <= SLUG_RATIO


def test_composer_packages_behind_nginx(platform: Stage, routes: Path, note: Note) -> None:
    proof = prove(platform, routes, path="/hello/Ada")

    note("php composer (nginx)", proof)
    assert "Installing monolog/monolog (3." in proof.first.log
    assert proof.web.status == 200
    assert proof.web.body == "Hello, Ada from web.1 intl 1"
    assert 'app.INFO: greeting {"name":"Ada"}' in proof.web.output
    assert proof.web.exit_code == 0
    assert "Nothing to install, update or remove" in proof.again.log
    assert not proof.changed
    assert proof.weight <= SLUG_RATIO
    assert boot_web(platform, proof.again, path="/nope").status == 404
    # Composer and what only it needs stay out of the slug
    assert one_off(platform, proof.again, "ls .heroku/php/bin") == (
        "heroku-php-apache2\nheroku-php-nginx\nphp\n"
    )


@pytest.mark.parametrize("server", ["apache2", "nginx"])
def test_the_end_of_a_dyno_waits_for_requests(platform: Stage, page: Path, server: str) -> None:
    built = build_app(platform, page)
    answers: list[Answer] = []

    with booted(platform, built.outcome.result, f"heroku-php-{server}") as dyno:
        assert dyno.get("/").status == 200
        asking = threading.Thread(target=lambda: answers.append(dyno.get("/?slow=1")))
        asking.start()
        arrived = dyno.get("/").status
        code = dyno.stop()
        asking.join()

    assert arrived == 200
    assert code == 0
    assert answers[0].body == b"PHP 8 on web.1 by fpm-fcgi"


def visit(port: int) -> int:
    """Return the status of one answer; there must be one at once."""
    with urlopen(f"http://127.0.0.1:{port}/", timeout=60) as answer:
        return int(answer.status)


@pytest.mark.parametrize("server", ["apache2", "nginx"])
def test_no_idle_connection_keeps_a_worker_from_requests(
    platform: Stage, page: Path, server: str
) -> None:
    """A worker serves one connection; a web server of several processes may keep many."""
    built = build_app(platform, page)

    with booted(platform, built.outcome.result, f"heroku-php-{server}", config=LONE) as dyno:
        dyno.get("/")
        with ThreadPoolExecutor(20) as visitors:
            answers = list(visitors.map(lambda _: visit(dyno.port), range(200)))

    assert answers == [200] * 200


def test_settings_of_the_app_reach_php(platform: Stage, page: Path) -> None:
    (page / "index.php").write_text("<?php echo ini_get('memory_limit'), ' ', $_SERVER['HTTPS'];")
    (page / ".user.ini").write_text("memory_limit = 64M\n")

    built = build_app(platform, page)
    web = boot_web(platform, built, config=SMALL, headers={"X-Forwarded-Proto": "https"})

    assert web.body == "64M on"
    assert "8 workers of 64 MB in 512 MB" in web.output


def test_settings_of_a_config_var_stand_beside_ours(platform: Stage, page: Path) -> None:
    (page / "index.php").write_text(
        "<?php echo ini_get('memory_limit'), extension_loaded('mbstring');"
    )
    (page / "composer.json").write_text('{"require": {"ext-mbstring": "*"}}')
    (page / "ini").mkdir()
    (page / "ini" / "app.ini").write_text("memory_limit = 48M\n")

    built = build_app(platform, page)
    web = boot_web(platform, built, config={**SMALL, "PHP_INI_SCAN_DIR": ":/app/ini"})

    assert web.body == "48M1"
    assert "of 48 MB in 512 MB" in web.output


def test_what_an_app_counts_on_from_heroku(platform: Stage, page: Path) -> None:
    (page / "index.php").write_text("<? echo $_ENV['GREETING'], ' ', error_reporting() === E_ALL;")
    (page / "module.mjs").write_text("export default 1;\n")
    built = build_app(platform, page)

    for server in ("apache2", "nginx"):
        config = {"GREETING": "Hello"}
        command = f"heroku-php-{server}"
        with booted(platform, built.outcome.result, command, config=config) as dyno:
            assert dyno.get("/").body == b"Hello 1"
            with urlopen(f"http://127.0.0.1:{dyno.port}/module.mjs", timeout=60) as module:
                assert module.headers.get_content_type() == "text/javascript"
            dyno.stop()


OF_DEV_CENTER = r"""
location / {
    # try to serve file directly, fallback to rewrite
    try_files $uri @rewriteapp;
}
location @rewriteapp {
    # rewrite all to index.php
    rewrite ^(.*)$ /index.php/$1 last;
}
location ~ ^/index\.php(/|$) {
    try_files @heroku-fcgi @heroku-fcgi;
    # ensure that /index.php isn't accessible directly, but only through a rewrite
    internal;
}
"""
OF_SYMFONY = r"""
location / { try_files $uri /index.php$is_args$args; }
location ~ ^/index\.php(/|$) {
    fastcgi_pass heroku-fcgi;
    fastcgi_split_path_info ^(.+\.php)(/.*)$;
    include fastcgi_params;
    fastcgi_param SCRIPT_FILENAME $realpath_root$fastcgi_script_name;
    fastcgi_param PATH_INFO $request_uri;
}
"""
OF_APACHE = """
DirectoryIndex index.php
<FilesMatch "\\.php$">
  SetHandler proxy:fcgi://heroku-fcgi
</FilesMatch>
FallbackResource /index.php
"""


@pytest.mark.parametrize(
    ("server", "lines"),
    [("nginx", OF_DEV_CENTER), ("nginx", OF_SYMFONY), ("apache2", OF_APACHE)],
    ids=["nginx by name", "nginx by parameters", "Apache by name"],
)
def test_configuration_of_apps_that_names_herokus_parts(
    platform: Stage, page: Path, server: str, lines: str
) -> None:
    (page / "public").mkdir()
    (page / "public" / "index.php").write_text(
        "<?php echo 'it ', $_SERVER['REQUEST_URI'], ' ',"
        " $_SERVER['HTTP_AUTHORIZATION'] ?? 'nobody';"
    )
    (page / "app.conf").write_text(lines)
    built = build_app(platform, page)

    command = f"heroku-php-{server} -C app.conf public/"
    with booted(platform, built.outcome.result, command) as dyno:
        assert dyno.get("/hello/Ada").body == b"it /hello/Ada nobody"
        asked = dyno.get("/hello", headers={"Authorization": "Bearer token"})
        assert asked.body == b"it /hello Bearer token"
        dyno.stop()


@pytest.mark.parametrize("server", ["apache2", "nginx"])
def test_a_look_at_the_configuration(platform: Stage, page: Path, server: str) -> None:
    (page / "more.conf").write_text("nonsense here;\n")
    built = build_app(platform, page)

    good = one_off(platform, built, f"PORT=5000 heroku-php-{server} -t && echo fine")
    bad = one_off(platform, built, f"PORT=5000 heroku-php-{server} -t -C more.conf || echo bad")
    assert "fine\n" in good
    assert "nonsense" in bad
    assert "bad\n" in bad


def test_files_that_nobody_should_see(platform: Stage, page: Path) -> None:
    (page / ".secret").write_text("password")
    (page / "composer.json").write_text("{}")
    (page / "Procfile").write_text("web: heroku-php-nginx\n")
    (page / "vendor").mkdir()
    (page / "vendor" / "inside.txt").write_text("of a package")
    (page / "public").mkdir()
    (page / "public" / "Procfile").write_text("a page")
    built = build_app(platform, page)

    for server in ("apache2", "nginx"):
        command = f"heroku-php-{server}"
        with booted(platform, built.outcome.result, command) as dyno:
            for path in ("/.secret", "/composer.json", "/Procfile", "/vendor/inside.txt"):
                assert dyno.get(path).status == 403, path
            assert dyno.get("/none.php").status == 404
            dyno.stop()
        with booted(platform, built.outcome.result, f"{command} public") as dyno:
            assert dyno.get("/Procfile").body == b"a page"
            dyno.stop()


def test_a_document_root_that_is_not_there(platform: Stage, page: Path) -> None:
    (page / "Procfile").write_text("web: heroku-php-apache2 public/ || true\n")

    built = build_app(platform, page)

    message = one_off(platform, built, "PORT=1 heroku-php-apache2 public/ || true")
    assert "the document root 'public/' is no folder of the app" in message


def test_mediawiki_as_released(platform: Stage, tmp_path: Path, note: Note) -> None:
    apps.mediawiki(tmp_path / "app")

    proof = prove(platform, tmp_path / "app", path="/mw-config/index.php")

    note("php MediaWiki", proof)
    assert "The folder vendor is part of the source" in proof.first.log
    assert proof.web.status == 200
    assert "MediaWiki 1.43" in proof.web.body
    assert proof.web.exit_code == 0
    # No limit for the rebuild: 34,000 files of source are unpacked and packed in every build;
    # beside that PHP, which is all that the cache saves, is little.
    assert "from the cache" in proof.again.log
    assert not proof.changed


def test_a_missing_lock_file(platform: Stage, routes: Path) -> None:
    (routes / "composer.lock").unlink()

    log = refused(platform, routes)

    assert "There is a composer.json with dependencies, but no composer.lock." in log
    assert "composer update" in log


def test_a_lock_file_that_does_not_fit(platform: Stage, routes: Path) -> None:
    edit(
        routes / "composer.json", '"nikic/fast-route"', '"psr/container": "^1",\n"nikic/fast-route"'
    )

    assert "composer.lock does not fit composer.json (see above)." in refused(platform, routes)


def test_a_composer_json_that_is_none(platform: Stage, routes: Path) -> None:
    (routes / "composer.json").write_text('{"require": }')

    log = refused(platform, routes)

    assert "composer.json is not valid JSON:" in log
    assert "composer validate" in log


def test_a_php_that_is_not_to_be_had(platform: Stage, page: Path) -> None:
    (page / "composer.json").write_text('{"require": {"php": "~7.3.0"}}')

    log = refused(platform, page)

    assert "PHP ~7.3.0 is required by composer.json" in log
    assert "the stack debian-13 offers: 7.4, 8.2, 8.4." in log


def test_an_extension_that_is_not_to_be_had(platform: Stage, page: Path) -> None:
    (page / "composer.json").write_text('{"require": {"ext-newrelic": "*", "ext-gd": "*"}}')

    log = refused(platform, page)

    assert "not available on the stack debian-13: ext-newrelic." in log
    assert " gmp, " in log


def test_composer_json_without_packages_needs_no_lock(platform: Stage, page: Path) -> None:
    (page / "composer.json").write_text(
        '{"require": {"php": "^8.1", "ext-gd": "*"}, "scripts": {"compile": "echo compiled-here"}}'
    )

    built = build_app(platform, page)

    assert "compiled-here" in built.log
    assert "gd" in one_off(platform, built, "php -m").split()
