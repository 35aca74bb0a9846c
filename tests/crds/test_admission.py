"""What the API server accepts, and what it says when it does not."""

from __future__ import annotations

from typing import Any

import pytest

from crds.kubectl import Kubectl
from crds.objects import ARCHIVE, NAMES, SLUG, make

pytestmark = pytest.mark.cluster

ACCEPTED: dict[str, dict[str, Any]] = {
    "empty app": make("App"),
    "shortest name": make("App", "abc"),
    "longest name": make("App", "a" * 30),
    "app from git": make(
        "App",
        source={"git": {"url": "https://git.example/a/b.git", "ref": "v1.2", "subPath": "web/app"}},
    ),
    "app from a blob": make(
        "App", source={"blob": {"url": "http://a.example/x.tgz?v=1", "checksum": SLUG["digest"]}}
    ),
    "buildpacks of both kinds": make(
        "App",
        buildpacks=[{"name": "heroku/python"}, {"url": "https://git.example/b/p.git#main"}],
    ),
    "domains": make(
        "App", domains=[{"hostname": "www.example.com"}, {"hostname": "*.a-b.example"}]
    ),
    "surge as a number": make("App", rollout={"maxSurge": 2}),
    "surge as a share": make("App", rollout={"maxSurge": "25%"}),
    "build": make("Build"),
    "build on the default stack": make("Build", stack=None),
    "release": make("Release"),
    "release 10": make("Release", "hello-v10", version=10, rollbackOf=9),
    "formation": make("Formation"),
    "formation with a hash": make("Formation", "hello-a-b-1f2e3d", processType="a_b"),
    "formation of an autoscaler": make("Formation", quantity=None),
    "dyno by command": make("Dyno", command=["bash", "-c", "echo hi"]),
    "dyno by type": make("Dyno", command=None, processType="worker"),
    "stack": make("Stack"),
}

NAME_RULE = (
    "must have 3 to 30 characters: lower case letters, digits and -, "
    "starting with a letter and not ending with -"
)
IMMUTABLE_RELEASE = "a Release is immutable; make a new one (a rollback is a new release, too)"
GIT_URL = "a git url must be http:// or https:// with a host"

REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "name too short": (make("App", "ab"), f"app name 'ab' {NAME_RULE}"),
    "name too long": (make("App", "a" * 31), f"app name '{'a' * 31}' {NAME_RULE}"),
    "name starts with a digit": (make("App", "1app"), f"app name '1app' {NAME_RULE}"),
    "name with a dot": (make("App", "my.app"), f"app name 'my.app' {NAME_RULE}"),
    "name in upper case": (make("App", "MyApp"), f"app name 'MyApp' {NAME_RULE}"),
    "two sources": (
        make(
            "App",
            source={
                "git": {"url": "https://git.example/a"},
                "blob": {"url": "https://a.example/x.tgz", "checksum": SLUG["digest"]},
            },
        ),
        "source needs exactly one of: git, blob; or a path alone",
    ),
    "no source in source": (
        make("App", source={}),
        "source needs exactly one of: git, blob; or a path alone",
    ),
    "password in a url": (
        make("App", source={"git": {"url": "https://me:secret@git.example/a"}}),
        "without user or password before the host; deploy private code by git push, or as a blob",
    ),
    "file url": (make("App", source={"git": {"url": "file:///etc"}}), GIT_URL),
    "option as url": (make("App", source={"git": {"url": "--upload-pack=x"}}), GIT_URL),
    "url with a newline": (make("App", source={"git": {"url": "https://a.example/x\n"}}), GIT_URL),
    "option as ref": (
        make("App", source={"git": {"url": "https://a.example/x", "ref": "--exec=x"}}),
        "git ref '--exec=x' is not a plain branch, tag or commit",
    ),
    "range as ref": (
        make("App", source={"git": {"url": "https://a.example/x", "ref": "a..b"}}),
        "git ref 'a..b' is not a plain branch, tag or commit",
    ),
    "path upwards": (
        make("App", source={"git": {"url": "https://a.example/x", "subPath": "a/../../b"}}),
        "subPath 'a/../../b' leaves the repository: use a relative path without '..'",
    ),
    "absolute path": (
        make("App", source={"git": {"url": "https://a.example/x", "subPath": "/etc"}}),
        "subPath '/etc' leaves the repository: use a relative path without '..'",
    ),
    "path of a push upwards": (
        make("App", source={"path": "../b"}),
        "path '../b' leaves the source: use a relative path without '..'",
    ),
    "absolute path of a build": (
        make("Build", source={"archive": ARCHIVE, "path": "/etc"}),
        "path '/etc' leaves the source: use a relative path without '..'",
    ),
    "path twice": (
        make("App", source={"path": "a", "git": {"url": "https://a.example/x", "subPath": "b"}}),
        "path and git.subPath name the same folder: keep path",
    ),
    "no checksum": (
        make("App", source={"blob": {"url": "https://a.example/x", "checksum": "md5:1"}}),
        "checksum 'md5:1' is not sha256:<64 lower case hexadecimal digits>; see sha256sum",
    ),
    "empty buildpack": (
        make("App", buildpacks=[{}]),
        "spec.buildpacks[0]: Invalid value: a buildpack needs exactly one of: name, url",
    ),
    "buildpack by both": (
        make("App", buildpacks=[{"name": "a", "url": "https://b.example/c"}]),
        "a buildpack needs exactly one of: name, url",
    ),
    "buildpack with a path": (
        make("App", buildpacks=[{"name": "../../etc"}]),
        "buildpack name '../../etc' is not like heroku/python",
    ),
    "url as domain": (
        make("App", domains=[{"hostname": "https://example.com"}]),
        "'https://example.com' is not a host name like www.example.com",
    ),
    "domain twice": (
        make("App", domains=[{"hostname": "a.example"}, {"hostname": "a.example"}]),
        'spec.domains[1]: Duplicate value: {"hostname":"a.example"}',
    ),
    "maintenance as a boolean": (
        make("App", maintenance="true"),
        'supported values: "Enabled", "Disabled"',
    ),
    "surge of nothing": (
        make("App", rollout={"maxSurge": 0}),
        "maxSurge must be a number from 1 to 1000",
    ),
    "surge in words": (
        make("App", rollout={"maxSurge": "all"}),
        "maxSurge must be a number from 1 to 1000",
    ),
    "build of nothing": (
        make("Build", source={}),
        "source needs exactly one of: git, blob, archive",
    ),
    "build of everything": (
        make("Build", source={"archive": ARCHIVE, "git": {"url": "https://a.example/x"}}),
        "source needs exactly one of: git, blob, archive",
    ),
    "build of another object": (
        make("Build", source={"archive": ARCHIVE | {"key": "slugs/x"}}),
        "archive key 'slugs/x' is not under sources/: upload the source through the api",
    ),
    "build without an app": (make("Build", appRef=None), "spec.appRef: Required value"),
    "release with a wrong name": (
        make("Release", "hello-v2", version=3),
        "release 'hello-v2' must be named hello-v<version>, after its app and its version",
    ),
    "release with zeros": (
        make("Release", "hello-v01"),
        "release 'hello-v01' must be named hello-v<version>, after its app and its version",
    ),
    "release of another app": (
        make("Release", "world-v1"),
        "release 'world-v1' must be named hello-v<version>, after its app and its version",
    ),
    "release 0": (make("Release", "hello-v0", version=0), "spec.version: Invalid value: 0"),
    "rollback to the future": (
        make("Release", rollbackOf=2),
        "spec.rollbackOf: Invalid value: rollbackOf must be a version before this one",
    ),
    "formation of another app": (
        make("Formation", "world-web"),
        "formation 'world-web' must be named after its app: hello-<process type>",
    ),
    "too many dynos": (make("Formation", quantity=1001), "should be less than or equal to 1000"),
    "fewer than none": (make("Formation", quantity=-1), "should be greater than or equal to 0"),
    "dyno of nothing": (
        make("Dyno", command=None),
        "a Dyno needs something to run: command or processType",
    ),
    "dyno for ever": (
        make("Dyno", ttlSeconds=86401),
        "ttlSeconds is at most 86400: a one-off dyno lives 24 hours at most",
    ),
    "stack without images": (make("Stack", runImage=None), "spec.runImage: Required value"),
    "unknown field": (make("App", colour="red"), 'unknown field "spec.colour"'),
}

CHANGES: dict[str, tuple[dict[str, Any], dict[str, Any], str]] = {
    "release": (
        make("Release", "hello-v7", version=7),
        make("Release", "hello-v7", version=7, description="another"),
        IMMUTABLE_RELEASE,
    ),
    "release loses a field": (
        make("Release", "hello-v8", version=8, author="ada"),
        make("Release", "hello-v8", version=8),
        IMMUTABLE_RELEASE,
    ),
    "build gets another source": (
        make("Build", "one"),
        make("Build", "one", source={"git": {"url": "https://a.example/x"}}),
        "spec.source: Forbidden: a Build is immutable; create a new one",
    ),
    "build gets a version": (
        make("Build", "two"),
        make("Build", "two", version="1a2b3c4d"),
        "spec.version: Forbidden: a Build is immutable; create a new one",
    ),
    "build comes back": (
        make("Build", "three", cancel=True),
        make("Build", "three", cancel=False),
        "a canceled build stays canceled; create a new Build instead",
    ),
    "formation moves": (
        make("Formation", "hello-a"),
        make("Formation", "hello-a", processType="worker"),
        "spec.processType: Forbidden: processType is immutable; create another Formation",
    ),
    "formation changes owner": (
        make("Formation", "hello-b-web", appRef={"name": "hello-b"}),
        make("Formation", "hello-b-web", appRef={"name": "hello"}),
        "spec.appRef: Forbidden: appRef is immutable; create another Formation",
    ),
    "dyno runs another thing": (
        make("Dyno", "one"),
        make("Dyno", "one", command=["sh"]),
        "spec.command: Forbidden: command is immutable; create another Dyno",
    ),
}


@pytest.mark.parametrize("case", ACCEPTED)
def test_a_valid_object_is_accepted(kubectl: Kubectl, case: str) -> None:
    kubectl.ok("create", "--dry-run=server", "-f", "-", stdin=ACCEPTED[case])


@pytest.mark.parametrize("case", REFUSED)
def test_an_invalid_object_is_refused_with_a_reason(kubectl: Kubectl, case: str) -> None:
    body, message = REFUSED[case]

    assert message in kubectl.refusal("create", "--dry-run=server", "-f", "-", stdin=body)


@pytest.mark.parametrize("case", CHANGES)
def test_what_is_settled_stays(kubectl: Kubectl, case: str) -> None:
    before, after, message = CHANGES[case]
    kubectl.ok("create", "-f", "-", stdin=before)

    assert message in kubectl.refusal("replace", "--dry-run=server", "-f", "-", stdin=after)


def test_a_build_can_be_canceled_once(kubectl: Kubectl) -> None:
    kubectl.ok("create", "-f", "-", stdin=make("Build", "cancel-me"))

    canceled = kubectl.json(
        "patch", "build", "cancel-me", "--type=merge", "-p", '{"spec":{"cancel":true}}'
    )
    assert canceled["spec"]["cancel"] is True


def test_every_kind_is_tried() -> None:
    assert {body["kind"] for body in ACCEPTED.values()} == set(NAMES)
