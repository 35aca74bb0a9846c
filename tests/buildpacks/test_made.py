"""A runtime made from source by the platform's job, against a mirror of its makers' layout.

The release is a stand-in whose configure and make are a second's work: what is checked, compiled,
packed and refused is the same.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import subprocess
import tarfile
from pathlib import Path

import pytest

from buildpacks.shell import Shell
from languages.mirrors.served import served

MAKE = Path(__file__).parents[2] / "buildpacks" / "runtimes" / "make"
CONFIGURE = """#!/bin/sh
prefix=$(printf '%s\\n' "$@" | sed -n 's/^--prefix=//p')
printf 'all:\\n\\ninstall:\\n\\tmkdir -p %s/bin %s/lib\\n\\tcp ruby %s/bin/ruby\\n' \\
  "$prefix" "$prefix" "$prefix" >Makefile
"""
RUBY = "#!/bin/sh\nprintf 3.4.7\n"


def release(folder: Path, version: str, *, listed: str = "") -> None:
    """Publish a release as its makers do: an index with checksums, an archive below its line."""
    (folder / "3.4").mkdir(parents=True, exist_ok=True)
    archive = folder / "3.4" / f"ruby-{version}.tar.gz"
    with tarfile.open(archive, "w:gz") as tar:
        for name, text in (("configure", CONFIGURE), ("ruby", RUBY)):
            info = tarfile.TarInfo(f"ruby-{version}/{name}")
            info.size, info.mode = len(text), 0o755
            tar.addfile(info, io.BytesIO(text.encode()))
    digest = listed or hashlib.sha256(archive.read_bytes()).hexdigest()
    (folder / "index.txt").write_text(
        "name\turl\tsha1\tsha256\tsha512\n"
        f"ruby-{version}\thttps://x/pub/ruby/3.4/ruby-{version}.tar.gz\t1\t{digest}\t2\n"
    )


def made(place: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the job's command; returns how it ended and what it said."""
    (place / "pub").mkdir(exist_ok=True)
    (place / "home").mkdir(exist_ok=True)
    with served(place / "pub") as url:
        env = {
            "PATH": os.environ["PATH"],
            "HOME": str(place / "home"),
            "BUILDPACK_RUBY_MIRROR": url,
        }
        return subprocess.run(
            [MAKE, *arguments, place / "work"],
            env=env,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )


def test_a_release_is_compiled_and_packed_as_it_lies_in_an_app(tmp_path: Path) -> None:
    release(tmp_path / "pub", "3.4.7")
    done = made(tmp_path, "ruby", "3.4.7")

    assert done.returncode == 0, done.stdout
    assert "-----> Compiling Ruby 3.4.7" in done.stdout
    assert "       Made ruby 3.4.7: " in done.stdout
    archive = tmp_path / "work" / "runtime.tar.zst"
    listed = subprocess.run(
        ["tar", "--zstd", "-tf", archive], capture_output=True, text=True, check=True
    )
    assert {"./bin/ruby", "./lib/"} <= set(listed.stdout.split())


@pytest.mark.parametrize(
    ("published", "listed", "wanted", "words"),
    [
        ("3.4.7", "0" * 64, "3.4.7", "sha256 of ruby.tar.gz.part is "),
        ("3.4.7", "", "3.4.6", "Ruby 3.4.6 is not available, the stack debian-13 has 3.4.7."),
        ("3.4.7", "", "3.5.0", "Ruby 3.5.0 is not available from the source 'upstream'"),
        ("3.4.8", "", "3.4.8", "Ruby 3.4.8 was made, and does not start"),
    ],
)
def test_what_is_not_that_very_release_is_refused(
    tmp_path: Path, published: str, listed: str, wanted: str, words: str
) -> None:
    release(tmp_path / "pub", published, listed=listed)
    done = made(tmp_path, "ruby", wanted)

    assert done.returncode == 77
    assert words in done.stdout
    assert not (tmp_path / "work" / "runtime.tar.zst").exists()


def test_a_language_that_is_not_made_from_source(tmp_path: Path) -> None:
    done = made(tmp_path, "cobol", "1.0")

    assert done.returncode == 77
    assert (
        " !     A runtime of 'cobol' is not made from source.\n !     Known are: php, ruby."
        in done.stdout
    )


PHP_FILES = {
    "configure": "#!/bin/sh\nprintf 'all:\\n\\ttrue\\n' >Makefile\n",
    "sapi/cli/php": "#!/bin/sh\nprintf 8.3.14\n",
    "sapi/fpm/php-fpm": "#!/bin/sh\n",
    "modules/opcache.so": "opcache",
    "php.ini-production": "; of 8.3\n",
}


def php_release(folder: Path, *, listed: str = "") -> None:
    """Publish a release of PHP as its makers do: what they say of it, and the archive."""
    for name in ("distributions", "releases"):
        (folder / name).mkdir(parents=True)
    archive = folder / "distributions" / "php-8.3.14.tar.gz"
    with tarfile.open(archive, "w:gz") as tar:
        for name, text in PHP_FILES.items():
            info = tarfile.TarInfo(f"php-8.3.14/{name}")
            info.size, info.mode = len(text), 0o755
            tar.addfile(info, io.BytesIO(text.encode()))
    digest = listed or hashlib.sha256(archive.read_bytes()).hexdigest()
    said = {"source": [{"filename": archive.name, "sha256": digest}]}
    (folder / "releases" / "index.php").write_text(json.dumps(said))


def php_home(place: Path) -> Path:
    """Lay out what the packages of the stack leave."""
    home = place / "php"
    for name in ("bin", "sbin", "lib/extensions", "etc/php/conf.d"):
        (home / name).mkdir(parents=True)
    for name in ("lib/extensions/gd.so", "etc/php/conf.d/20-gd.ini", "sbin/nginx"):
        (home / name).write_text("of the stack")
    (home / "etc/php/conf.d/00-platform.ini").write_text("; the platform's\n")
    return home


@pytest.mark.parametrize("listed", ["", "0" * 64])
def test_php_takes_the_place_of_the_packages(tmp_path: Path, listed: str) -> None:
    php_release(tmp_path / "pub", listed=listed)
    home = php_home(tmp_path)
    line = f"PHP_HOME={home}\nphp_from_source 8.3.14\nphp_reports"
    parts = ("manifest", "extensions", "runtime", "layout", "source")
    with served(tmp_path / "pub") as url:
        shell, env = Shell(tmp_path, "php"), {"BUILDPACK_PHP_MIRROR": url}
        shown = shell.run(line, *parts, code=77 if listed else 0, **env)
    if listed:
        assert f" !     PHP 8.3.14 could not be fetched from {url} (see above)." in shown
        return
    assert shown.endswith("8.3.14")
    assert (home / "sbin" / "nginx").read_text() == "of the stack"
    assert [each.name for each in (home / "lib" / "extensions").iterdir()] == ["opcache.so"]
    ini = {each.name for each in (home / "etc" / "php" / "conf.d").iterdir()}
    assert ini == {"00-platform.ini", "10-opcache.ini"}
    assert (home / "etc" / "php" / "php.ini").read_text() == "; of 8.3\n"


def test_a_php_that_its_makers_do_not_know(tmp_path: Path) -> None:
    php_release(tmp_path / "pub")
    parts = ("manifest", "extensions", "runtime", "layout", "source")
    with served(tmp_path / "pub") as url:
        env = {"BUILDPACK_PHP_MIRROR": url}
        shown = Shell(tmp_path, "php").run("php_from_source 8.3.15", *parts, code=77, **env)
    assert f" !     There is no release 8.3.15 of PHP at {url}." in shown
