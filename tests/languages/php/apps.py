"""PHP apps: what Composer makes against the mirror, a plain page, and MediaWiki's release."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

from languages.mirrors.composer import COMPOSER, composer_workshop
from languages.mirrors.sources import fetch_sources
from languages.mirrors.workshop import workshop

_COMPOSER = """
rm -rf app && mkdir app && cd app
composer config --global repo.packagist composer "$1"
composer config --global secure-http false
composer init --name=sample/routes --require=ext-intl:* --quiet
composer require --quiet --no-install monolog/monolog:^3.0 nikic/fast-route:^1.3 \\
  --ignore-platform-req=ext-intl
"""
_FRONT = """<?php
require __DIR__ . '/../vendor/autoload.php';

$log = new Monolog\\Logger('app');
$log->pushHandler(new Monolog\\Handler\\StreamHandler('php://stderr'));
$routes = FastRoute\\simpleDispatcher(function (FastRoute\\RouteCollector $r) {
    $r->addRoute('GET', '/hello/{name}', fn (string $name) => "Hello, $name");
});
$route = $routes->dispatch('GET', parse_url($_SERVER['REQUEST_URI'], PHP_URL_PATH));
if ($route[0] !== FastRoute\\Dispatcher::FOUND) {
    http_response_code(404);
    exit('no such page');
}
$log->info('greeting', $route[2]);
echo $route[1](...$route[2]), ' from ', getenv('DYNO'), ' intl ', extension_loaded('intl') ? 1 : 0;
"""
_REWRITE = """location / { try_files $uri @app; }
location @app { rewrite ^(.*)$ /index.php/$1 last; }
"""


def composer(folder: Path, repository: str) -> None:
    """Write an app with a router and a logger: a lock file, a document root, nginx."""
    shop = composer_workshop()
    shop.run(f"{COMPOSER}\n{_COMPOSER}", repository)
    shutil.copytree(shop.scratch / "app", folder, dirs_exist_ok=True)
    (folder / "public").mkdir()
    (folder / "public" / "index.php").write_text(_FRONT)
    (folder / "nginx_app.conf").write_text(_REWRITE)
    (folder / "Procfile").write_text("web: vendor/bin/heroku-php-nginx -C nginx_app.conf public/\n")


def plain(folder: Path) -> None:
    """Write an app of one file, as PHP began."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "index.php").write_text(
        "<?php\n"
        "if (isset($_GET['slow'])) { sleep(2); }\n"
        "echo 'PHP ', PHP_MAJOR_VERSION, ' on ', getenv('DYNO'), ' by ', PHP_SAPI;\n"
    )


def mediawiki(folder: Path) -> None:
    """Write MediaWiki as released: its packages are part of it."""
    shop = workshop("mediawiki")
    (archive,) = fetch_sources(shop, ["mediawiki"])
    folder.mkdir(parents=True, exist_ok=True)
    subprocess.run(
        ["tar", "--extract", "--file", archive, "--directory", folder, "--strip-components=1"],
        check=True,
    )
