"""What Heroku's images have is at hand on the stack: at run time, and for what a build compiles."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from buildpacks.theatre import Theatre
from haikube.cli.buildpacks import stage_in

pytestmark = pytest.mark.stack

_TOOLS = (
    "psql pg_dump convert magick gs pdftotext pdftoppm wget zip jq less nano patch ssh rsync dig "
    "gpg envsubst ip socat curl file unzip tar xz zstd nc telnet tracepath lsb_release ld"
)
_LIBRARIES = "vips mariadb gd memcached magic jemalloc pq ssl xml2 uv yaml-0 sodium rabbitmq"
_MISSING = (
    "from ctypes.util import find_library as f; "
    f"print('missing', [n for n in '{_LIBRARIES}'.split() if not f(n)])"
)
_PICTURE = (
    "set -e; magick -size 60x40 xc:red label:hello -append red.png; magick red.png red.pdf; "
    "magick red.pdf back.jpg; pdftotext red.pdf -; file -b back.jpg"
)
_MYSQL = (
    "import MySQLdb, os; print('client', MySQLdb.get_client_info(), os.path.exists('/usr/bin/gcc'))"
)


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Theatre]:
    with stage_in(tmp_path_factory.mktemp("stack")) as stage:
        yield Theatre(stage)


def test_tools_of_heroku_run_in_a_dyno(played: Theatre) -> None:
    slug = played.pack_slug({})
    looked = played.run(
        slug, f"for t in {_TOOLS}; do command -v $t >/dev/null || echo no $t; done; psql --version"
    )
    assert looked.splitlines()[-1].startswith("psql (PostgreSQL) 17")
    assert "no " not in looked


def test_pictures_and_documents_go_into_each_other(played: Theatre) -> None:
    slug = played.pack_slug({})
    assert "JPEG image data" in played.run(slug, f"cd /tmp; {_PICTURE}")


def test_a_driver_without_a_wheel_is_compiled_and_runs(played: Theatre) -> None:
    files = {"requirements.txt": "mysqlclient==2.2.7\n", "Procfile": "web: python -V\n"}
    built = played.build(files).succeeded()
    result = built.outcome.result
    assert "missing []" in played.run(result, f'python -c "{_MISSING}"')
    assert "False" in played.run(result, f'python -c "{_MYSQL}"')
