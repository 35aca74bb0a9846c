"""Python apps as people write them, built on the stack and booted."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

import sample_apps
from buildpacks import locks
from buildpacks.theatre import Theatre
from haikube.cli.buildpacks import stage_in

pytestmark = pytest.mark.stack


@pytest.fixture(scope="session")
def warm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Theatre]:
    """Build one small app, so that others find a runtime in their cache."""
    with stage_in(tmp_path_factory.mktemp("warm")) as stage:
        theatre = Theatre(stage)
        theatre.build({"requirements.txt": "", "Procfile": "web: python -V\n"}).succeeded()
        yield theatre


@pytest.fixture
def app(theatre: Theatre, warm: Theatre) -> Theatre:
    theatre.share_cache(warm)
    return theatre


def test_django_as_startproject_makes_it(theatre: Theatre) -> None:
    sample_apps.django(theatre.app, greeting="Hello from Django")
    before = time.monotonic()
    first = theatre.build().succeeded()
    took = time.monotonic() - before
    assert "-----> Python app detected" in first.log
    assert "-----> $ python manage.py collectstatic --noinput" in first.log
    assert " static files copied to '/app" in first.log or " static files copied" in first.log
    assert first.processes["web"] == "gunicorn mysite.wsgi"
    with theatre.boot(first.outcome.result, first.processes["web"]) as dyno:
        assert b"Hello from Django web.1" in dyno.get("/").body
        assert dyno.get("/static/admin/css/base.css").status in {200, 404}
        assert dyno.stop() == 0

    cache = theatre.stage.objects.folder / "cache.tar.zst"
    kept = cache.stat().st_mtime_ns
    before = time.monotonic()
    second = theatre.build().succeeded()
    assert "Using cached install of Python 3.13" in second.log
    assert "They are what the unchanged requirements.txt asks for" in second.log
    assert cache.stat().st_mtime_ns == kept
    assert time.monotonic() - before < took


def test_the_environment_of_a_python_dyno(app: Theatre) -> None:
    built = app.build({"requirements.txt": "", "Procfile": "web: x\n", "mine.py": "A = 1\n"})
    result = built.succeeded().outcome.result
    show = (
        "import os, ssl, sqlite3, lzma, bz2, ctypes, mine, sys;"
        "print(*(os.environ[k] for k in ('PYTHONUNBUFFERED', 'LANG', 'PYTHONPATH',"
        " 'WEB_CONCURRENCY', 'FORWARDED_ALLOW_IPS')), sys.prefix, sys.base_prefix)"
    )
    shown = app.run(result, f'python -c "{show}"', MEMORY_AVAILABLE="512").split()
    assert shown[:5] == ["1", "C.UTF-8", "/app", "2", "*"]
    assert shown[5:] == ["/app/.heroku/python", "/app/.heroku/python/runtime/usr"]
    assert app.run(result, "echo $WEB_CONCURRENCY", WEB_CONCURRENCY="9") == "9\n"
    assert built.slug_megabytes < 20


def test_fastapi_with_a_lock_file_of_uv(app: Theatre) -> None:
    sample_apps.fastapi(app.app)
    locks.uv_lock(app.app)
    built = app.build().succeeded()
    assert "Installing dependencies using 'uv sync --locked" in built.log
    with app.boot(built.outcome.result, built.processes["web"]) as dyno:
        assert dyno.get().body == b'{"hello":"fastapi"}'

    (app.app / "pyproject.toml").write_text(
        (app.app / "pyproject.toml").read_text().replace('"uvicorn"', '"uvicorn", "httpx"')
    )
    log = app.build().failed()
    assert " !     uv.lock does not fit the app's pyproject.toml" in log


@pytest.mark.parametrize("manager", ["poetry", "pipenv"])
def test_other_package_managers_by_their_lock_file(app: Theatre, manager: str) -> None:
    app.write({"app.py": "import six\nprint('six', six.__version__)\n", "Procfile": "web: x\n"})
    if manager == "poetry":
        app.write(
            {
                "pyproject.toml": '[project]\nname = "demo"\nversion = "1"\n'
                'requires-python = ">=3.11,<4"\ndependencies = ["six==1.17.0"]\n'
                '[tool.poetry]\npackage-mode = false\n[dependency-groups]\ndev = ["iniconfig"]\n'
                f'[[tool.poetry.source]]\nname = "index"\nurl = "{locks.package_index()}"\n'
                'priority = "primary"\n'
            }
        )
        locks.poetry_lock(app.app)
    else:
        app.write({"Pipfile": '[packages]\nsix = "==1.17.0"\n[dev-packages]\niniconfig = "*"\n'})
        locks.pipenv_lock(app.app)
    built = app.build().succeeded()
    assert f"Installing dependencies using '{manager} " in built.log
    assert app.run(built.outcome.result, "python app.py") == "six 1.17.0\n"
    assert "fine" in app.run(built.outcome.result, "python -c 'import iniconfig' || echo fine")


def test_a_dependency_that_does_not_exist(app: Theatre) -> None:
    name = "haikube-no-such-package-4711"
    log = app.build({"requirements.txt": f"{name}==1.0\n", "Procfile": "web: x\n"}).failed()
    assert f" !     The package '{name}==1.0' of requirements.txt does not exist" in log
    assert " !     Push rejected, failed to compile Python app." in log


def test_a_patch_level_the_stack_lacks_is_replaced_and_said_so(app: Theatre) -> None:
    app.write({"requirements.txt": "", "Procfile": "web: x\n", ".python-version": "3.13.0\n"})
    log = app.build().succeeded().log
    assert " !     Python 3.13.0 is not available, the stack debian-13 has 3.13." in log
    app.config = {"BUILDPACK_STRICT_VERSIONS": "1"}
    assert "or unset BUILDPACK_STRICT_VERSIONS" in app.build().failed()


def test_a_version_that_no_suite_has_names_what_there_is(app: Theatre) -> None:
    app.config = {"BUILDPACK_PYTHON_SOURCE": "deb"}
    files = {"requirements.txt": "", "Procfile": "web: x\n", ".python-version": "3.7\n"}
    log = app.build(files).failed()
    assert " !     Python 3.7 is not available from the packages of the stack debian-13" in log
    assert " !     Available are: 3.9, 3.11, 3.13, 3.14." in log
    assert " !     Write 3.9 to .python-version" in log


def test_hooks_of_the_app_run_around_the_installation(app: Theatre) -> None:
    built = app.build(
        {
            "requirements.txt": "",
            "Procfile": "web: x\n",
            "bin/pre_compile": "#!/bin/bash\necho before $SECRET\n",
            "bin/post_compile": "#!/usr/bin/env python\nprint('after')\n",
        }
    ).succeeded()
    assert "-----> Running pre_compile hook\n       before\n" in built.log
    assert "-----> Running post_compile hook\n       after\n" in built.log


def test_a_hook_may_write_the_file_that_names_the_packages(app: Theatre) -> None:
    app.write(
        {
            "requirements/production.txt": "six==1.17.0\n",
            "bin/pre_compile": "#!/bin/bash\r\ncp requirements/production.txt requirements.txt\r\n",
            "Procfile": "web: x\n",
            ".python-version": "3.13\n",
        }
    )
    app.config = {"POETRY_VERSION": "1.8.3", "UID": "1000", "name": "n", "TMPDIR": "/app/tmp"}
    built = app.build().succeeded()
    assert "Windows line ends were removed from bin/pre_compile" in built.log
    show = (
        "import six, os;print(six.__version__, *(os.environ[n] for n in ('UID', 'name', 'TMPDIR')))"
    )
    shown = app.run(built.outcome.result, f'python -c "{show}"')
    assert shown == "1.17.0 1000 n /app/tmp\n"


def test_collectstatic_that_fails_is_explained(app: Theatre) -> None:
    sample_apps.django(app.app)
    settings = app.app / "mysite" / "settings.py"
    settings.write_text(settings.read_text() + "\nraise RuntimeError('no DATABASE_URL')\n")
    log = app.build().failed()
    assert "RuntimeError: no DATABASE_URL" in log
    assert " !     Django could not collect its static files" in log
    assert "DISABLE_COLLECTSTATIC=1" in log
    app.config = {"DISABLE_COLLECTSTATIC": "1"}
    assert "-----> Skipping Django collectstatic" in app.build().succeeded().log


@pytest.mark.parametrize("files", [{}, {"requirements.txt": "", "uv.lock": ""}])
def test_one_lock_file_is_asked_for(theatre: Theatre, files: dict[str, str]) -> None:
    log = theatre.build({"app.py": "", **files}).failed()
    wanted = "several files for different" if files else "No file says which Python packages"
    assert wanted in log


def test_an_app_that_is_a_package_of_the_old_kind(app: Theatre) -> None:
    words = "name='said', py_modules=['said'], install_requires=['six==1.17.0']"
    setup = f"from setuptools import setup\nsetup({words})\n"
    files = {
        "setup.py": setup,
        "said.py": "import six\nprint(six.__version__)\n",
        "Procfile": "web: x\n",
    }
    built = app.build(files).succeeded()
    assert "-----> Installing dependencies using 'pip install --editable .'\n" in built.log
    assert app.run(built.outcome.result, "cd /tmp && python -m said") == "1.17.0\n"
    again = app.build({"said.py": "import six\nprint('new')\n"}).succeeded()
    assert app.run(again.outcome.result, "python -m said") == "new\n"
