"""What the build says of a Play app: the buildpack's own function, without a stack."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

BUILDPACKS = Path(__file__).parents[3] / "buildpacks"
PLUGIN = 'addSbtPlugin("org.playframework" % "sbt-plugin" % "3.0.9")\n'
OLD_PLUGIN = 'addSbtPlugin("com.typesafe.play" % "sbt-plugin" % "2.9.7")\n'
PACKAGER = 'addSbtPlugin("com.github.sbt" % "sbt-native-packager" % "1.11.1")\n'


def remark(app: Path) -> str:
    script = (
        'set -Eeuo pipefail; source "$1/lib/log.sh"; source "$1/scala/lib/play.sh"; '
        "BUILD_DIR=$2; remark_play_secret"
    )
    return subprocess.run(
        ["bash", "-c", script, "bash", BUILDPACKS, app], check=True, capture_output=True, text=True
    ).stdout


@pytest.mark.parametrize(
    ("plugin", "conf", "procfile", "warned"),
    [
        (PLUGIN, "", "", True),
        (OLD_PLUGIN, 'play.http.secret.key = "changeme"\n', "", True),
        (PLUGIN, "play.http.secret.key = ${?PLAY_SECRET}\n", "", False),
        (PLUGIN, 'play.http.secret.key="${SECRET}"\n', "", False),
        (PLUGIN, 'play.http.secret.key="changeme"\nplay.http.secret.key=${?SECRET}\n', "", False),
        (PLUGIN, f'play.http.secret.key = "{"s" * 32}"\n', "", False),
        (PLUGIN, "play.http.secret {\n  key = ${?SECRET}\n}\n", "", False),
        (PLUGIN, "# play.http.secret.key = ${?PLAY_SECRET}\n", "", True),
        (PLUGIN, "", "web: bin/app -Dplay.http.secret.key=$SECRET\n", False),
        (PACKAGER, "", "", False),
    ],
)
def test_a_play_app_is_told_of_its_secret(
    tmp_path: Path, plugin: str, conf: str, procfile: str, *, warned: bool
) -> None:
    (tmp_path / "project").mkdir()
    (tmp_path / "project" / "plugins.sbt").write_text(plugin)
    (tmp_path / "conf").mkdir()
    (tmp_path / "conf" / "application.conf").write_text(conf)
    (tmp_path / "Procfile").write_text(procfile)

    said = remark(tmp_path)

    assert ("play.http.secret.key = ${?PLAY_SECRET}" in said) == warned
    assert bool(said) == warned
