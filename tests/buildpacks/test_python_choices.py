"""Which Python, and which manage.py: the decisions of its buildpack in bash alone."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import pytest

from buildpacks.shell import Shell


@pytest.mark.parametrize(
    ("files", "version"),
    [
        ({"runtime.txt": "python-3.12.1\r\n"}, "3.12.1"),
        ({".python-version": "# ours\n\n 3.11 \n"}, "3.11"),
        ({"runtime.txt": "python-3.12", ".python-version": "3.11"}, "3.12"),
        ({"Pipfile.lock": '{"_meta": {"requires": {"python_version": "3.10"}}}'}, "3.10"),
        ({}, "3.13"),
    ],
)
def test_where_a_python_version_comes_from(
    shell: Callable[[str], Shell], files: Mapping[str, str], version: str
) -> None:
    python = shell("python")
    python.write(files)
    manager = "pipenv" if "Pipfile.lock" in files else "pip"
    shown = python.run(f"wanted_version {manager}", "version")
    assert shown.splitlines()[-1].endswith(version)


@pytest.mark.parametrize("content", [b"3.12\r\n", b"# ours\r\n\t3.12 # for now\r\n"])
def test_a_version_file_however_it_was_saved(shell: Callable[[str], Shell], content: bytes) -> None:
    python = shell("python")
    (python.place / "build" / ".python-version").write_bytes(content)
    assert python.run("python_version_file", "version") == "3.12"
    (python.place / "build" / "runtime.txt").write_bytes(b" python-3.12 \r\n")
    assert python.run("runtime_txt", "version") == "3.12"


NLTK = """
readonly PYTHON_HOME=.heroku/python
PYTHON=python_stub
python_stub() {
  case "$*" in
  "-c import nltk") "$THERE" ;;
  *) echo "$*"; mkdir -p "$4/corpora"; echo "$SAID" ;;
  esac
}
download_nltk pip
"""
NLTK_PARTS = ("packages", "nltk")


def test_data_of_nltk_lie_where_it_looks_for_them(shell: Callable[[str], Shell]) -> None:
    python = shell("python")
    python.write(
        {"nltk.txt": "stopwords # small\r\n\npunkt_tab wordnet\r\n", "requirements.txt": ""}
    )
    shown = python.run(NLTK, *NLTK_PARTS, THERE="true", SAID="")
    target = python.place / "build/.heroku/python/nltk_data"
    assert "-----> Downloading NLTK packages: stopwords punkt_tab wordnet\n" in shown
    assert f"-m nltk.downloader -d {target} stopwords punkt_tab wordnet\n" in shown
    profile = (python.place / "build/.profile.d/python.sh").read_text()
    assert profile == 'export NLTK_DATA="${NLTK_DATA-$HOME/.heroku/python/nltk_data}"\n'
    (target / "corpora").rmdir()
    target.rmdir()
    assert python.run(NLTK, *NLTK_PARTS, THERE="true", SAID="") == ""
    assert (target / "corpora").is_dir()


def test_data_of_nltk_that_nobody_reads_or_has(shell: Callable[[str], Shell]) -> None:
    python = shell("python")
    assert python.run(NLTK, *NLTK_PARTS, THERE="true", SAID="") == ""
    python.write({"nltk.txt": "stopword\n", "requirements.txt": ""})
    shown = python.run(NLTK, *NLTK_PARTS, THERE="false", SAID="")
    assert (
        " !     nltk.txt is not read: nltk is not among the packages of requirements.txt.\n"
        in shown
    )
    said = "[nltk_data] Error loading stopword: Package 'stopword' not found in index"
    shown = python.run(NLTK, *NLTK_PARTS, THERE="true", SAID=said, code=77)
    assert " !     The data of nltk.txt could not be fetched (see above).\n" in shown
    assert said in shown


DJANGO = """\
import os, sys, types
for name in ("django", "django.conf", "django.core", "django.core.management"):
    sys.modules[name] = types.ModuleType(name)
sys.modules["django.conf"].settings = types.SimpleNamespace(
    INSTALLED_APPS=["django.contrib.staticfiles"], STATIC_ROOT="static")
class ManagementUtility:
    def execute(self):
        print("collects in", os.getcwd(), "for", sys.argv[0], "beside", sys.path[0])
sys.modules["django.core.management"].ManagementUtility = ManagementUtility
"""


@pytest.mark.parametrize(
    ("files", "taken"),
    [
        (["manage.py", "demo/manage.py"], "manage.py"),
        (["b/manage.py", "a/deep/manage.py", "node_modules/manage.py"], "b/manage.py"),
        (["a/b/c/manage.py"], ""),
    ],
)
def test_the_nearest_manage_py_collects_from_the_root(
    shell: Callable[[str], Shell], files: list[str], taken: str
) -> None:
    python = shell("python")
    build = python.place / "build"
    for name in files:
        (build / name).parent.mkdir(parents=True, exist_ok=True)
        (build / name).write_text(
            "import django.core.management as m\nm.ManagementUtility().execute()\n"
        )
    (python.place / "site").mkdir()
    (python.place / "site" / "sitecustomize.py").write_text(DJANGO)
    shown = python.run(
        f"PYTHON=python3\nexport PYTHONPATH={python.place}/site\ncollect_static", "django"
    )
    if not taken:
        assert shown == ""
        return
    assert f"-----> $ python {taken} collectstatic --noinput\n" in shown
    beside = (build / taken).parent.resolve()
    assert f"collects in {build} for {taken} beside {beside}\n" in shown


@pytest.mark.parametrize(
    ("vars_", "files", "words"),
    [
        ({"DISABLE_COLLECTSTATIC": "1"}, [], "since DISABLE_COLLECTSTATIC is set"),
        ({}, [".heroku/collectstatic_disabled"], "a file .heroku/collectstatic_disabled"),
    ],
)
def test_static_files_are_not_collected_where_the_app_says_so(
    shell: Callable[[str], Shell], vars_: dict[str, str], files: list[str], words: str
) -> None:
    python = shell("python")
    (python.place / "build" / ".heroku").mkdir()
    python.write(dict.fromkeys(["manage.py", *files], ""))
    python.write(vars_, "env")
    (python.place / "site").mkdir()
    (python.place / "site" / "sitecustomize.py").write_text(DJANGO)
    shown = python.run(
        f"PYTHON=python3\nexport PYTHONPATH={python.place}/site\ncollect_static", "django"
    )
    assert shown.startswith("-----> Skipping Django collectstatic, ")
    assert words in shown


def test_a_python_version_sticks_from_build_to_build(shell: Callable[[str], Shell]) -> None:
    python = shell("python")
    python.run("cache_value python-version 3.11")
    assert "same major version as the last build: Python 3.11" in python.run(
        "wanted_version pip", "version"
    )


@pytest.mark.parametrize(
    ("files", "words"),
    [
        ({"runtime.txt": "3.12"}, "runtime.txt says '3.12'"),
        ({".python-version": "3.11\n3.12\n"}, "holds: 3.11, 3.12"),
        ({".python-version": "pypy3.10"}, "'pypy3.10', which is not a version"),
        ({".python-version": ""}, "must hold one version"),
        ({"Pipfile.lock": "no json"}, "Pipfile.lock is not valid JSON"),
    ],
)
def test_a_python_version_that_is_none(
    shell: Callable[[str], Shell], files: Mapping[str, str], words: str
) -> None:
    python = shell("python")
    python.write(files)
    manager = "pipenv" if "Pipfile.lock" in files else "pip"
    assert words in python.run(f"x=$(wanted_version {manager})", "version", code=77)


POETRY = "[project]\nname = 'a'\n[tool.poetry]\npackage-mode = false\n"


@pytest.mark.parametrize(
    ("files", "words", "remedy"),
    [
        ({"Pipfile": ""}, "There is Pipfile, but no Pipfile.lock, which says", "(pipenv lock)"),
        ({"pyproject.toml": POETRY}, "There is pyproject.toml, but no poetry.lock", "poetry lock"),
        (
            {"pyproject.toml": "[tool.poetry.dependencies]\n"},
            "There is pyproject.toml, but no poetry.lock",
            "poetry lock",
        ),
        ({"pyproject.toml": "[project]\n"}, "There is pyproject.toml, but no uv.lock", "(uv lock)"),
        ({"pyproject.toml": "[project]\n"}, "", "with pip instead: echo . > requirements.txt"),
        ({"pdm.lock": "", "pyproject.toml": "[project]\n"}, "The app is one of PDM", "pdm export"),
        ({"setup.cfg": ""}, "setup.cfg alone is not asked", "echo . > requirements"),
        ({"environment.yml": ""}, "environment.yml is for conda", "pip list --format=freeze"),
        ({"pyproject.toml": "[tool.ruff]\n"}, "No file says which Python packages", "may be empty"),
        ({"app.py": ""}, "No file says which Python packages", "may be empty"),
    ],
)
def test_an_app_without_a_lock_file_is_told_how_to_make_it(
    shell: Callable[[str], Shell], files: Mapping[str, str], words: str, remedy: str
) -> None:
    python = shell("python")
    python.write(files)
    shown = python.run("x=$(package_manager)", "packages", code=77)
    assert words in shown
    assert remedy in shown


FOLDERS = """
[[package]]
name = "greet"
version = "1"

[package.source]
type = "directory"
url = "libs/greet"

[[package]]
name = "other"

[package.source]
type = "git"
url = "https://example.com/other"
"""


def test_poetry_is_not_trusted_with_what_a_folder_was(shell: Callable[[str], Shell]) -> None:
    python = shell("python")
    (python.place / "build" / "libs" / "greet").mkdir(parents=True)

    def key() -> str:
        line = 'STACK=s RUNTIME_KEY=r\nprefetch_packages poetry\necho "$PACKAGES_KEY"'
        return python.run(line, "packages")

    python.write({"poetry.lock": FOLDERS, "libs/greet/greet.py": "SAID = 1\n", "app.py": "a\n"})
    before = key()
    python.write({"app.py": "b\n"})
    assert key() == before
    python.write({"libs/greet/greet.py": "SAID = 2\n"})
    assert key() != before
    python.write({"poetry.lock": FOLDERS.replace("libs/greet", "not/there")})
    assert key() not in {"", before}
