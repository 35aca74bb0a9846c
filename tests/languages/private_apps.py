"""Apps with one dependency on a private server, by ecosystem; ``host`` is the server's."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

_POM = """<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>com.example</groupId><artifactId>hello</artifactId><version>1</version>
  <repositories><repository><id>private</id><url>http://{host}/m2</url></repository></repositories>
  <dependencies><dependency>
    <groupId>com.example.private</groupId><artifactId>demo</artifactId><version>1.0</version>
  </dependency></dependencies>
</project>
"""
_COMPOSER_LOCK = {
    "content-hash": "",
    "packages": [
        {
            "name": "private/demo",
            "version": "1.0.0",
            "type": "library",
            "dist": {"type": "zip", "url": "http://{host}/demo.zip", "shasum": ""},
        }
    ],
    "packages-dev": [],
    "platform": {},
    "platform-dev": {},
}
_GEMS = """GEM
  remote: http://{host}/
  specs:
    demo (1.0.0)

PLATFORMS
  ruby
  x86_64-linux

DEPENDENCIES
  demo{pin}
"""
_GIT_GEM = """GIT
  remote: http://{host}/demo.git
  revision: 0123456789012345678901234567890123456789
  specs:
    demo (1.0.0)

GEM
  specs:

PLATFORMS
  ruby
  x86_64-linux

DEPENDENCIES
  demo!
"""

_INTEGRITY = "sha512-" + "A" * 86 + "=="
_YARN_LOCK = f"""# yarn lockfile v1


"@private/demo@1.0.0":
  version "1.0.0"
  resolved "http://{{host}}/@private/demo/-/demo-1.0.0.tgz#{"0" * 40}"
  integrity {_INTEGRITY}
"""
_MODERN_YARN_LOCK = f"""__metadata:
  version: 8
  cacheKey: 10c0

"@private/demo@npm:1.0.0":
  version: 1.0.0
  resolution: "@private/demo@npm:1.0.0"
  checksum: 10c0/{"0" * 128}
  languageName: node
  linkType: hard

"app@workspace:.":
  version: 0.0.0-use.local
  resolution: "app@workspace:."
  dependencies:
    "@private/demo": "npm:1.0.0"
  languageName: unknown
  linkType: soft
"""
_YARNRC = """npmScopes:
  private:
    npmRegistryServer: "http://{host}"
unsafeHttpWhitelist: ["127.0.0.1"]
"""
_PNPM_LOCK = f"""lockfileVersion: '9.0'

settings:
  autoInstallPeers: true
  excludeLinksFromLockfile: false

importers:

  .:
    dependencies:
      '@private/demo':
        specifier: 1.0.0
        version: 1.0.0

packages:

  '@private/demo@1.0.0':
    resolution: {{integrity: {_INTEGRITY}}}

snapshots:

  '@private/demo@1.0.0': {{}}
"""
_NPMRC = "@private:registry=http://{host}/\n"


def _package(dependencies: Mapping[str, str]) -> str:
    return json.dumps({"name": "app", "version": "1.0.0", "dependencies": dependencies})


_SCOPED = _package({"@private/demo": "1.0.0"})
_FILES: Mapping[str, Mapping[str, str]] = {
    "pip": {"requirements.txt": "--index-url http://{host}/simple\ndemo==1.0\n"},
    "pip-git": {"requirements.txt": "demo @ git+http://{host}/demo.git\n"},
    "npm": {"package.json": _SCOPED, ".npmrc": _NPMRC},
    "yarn": {"package.json": _SCOPED, ".npmrc": _NPMRC, "yarn.lock": _YARN_LOCK},
    "modern-yarn": {
        "package.json": _SCOPED,
        ".yarnrc.yml": _YARNRC,
        "yarn.lock": _MODERN_YARN_LOCK,
    },
    "pnpm": {"package.json": _SCOPED, ".npmrc": _NPMRC, "pnpm-lock.yaml": _PNPM_LOCK},
    "npm-git": {"package.json": _package({"demo": "git+http://{host}/demo.git"})},
    "bundler": {
        "Gemfile": 'source "http://{host}"\ngem "demo"\n',
        "Gemfile.lock": _GEMS.replace("{pin}", ""),
    },
    "bundler-git": {
        "Gemfile": 'gem "demo", git: "http://{host}/demo.git"\n',
        "Gemfile.lock": _GIT_GEM,
    },
    "go": {
        "go.mod": "module hello\n\ngo 1.25\n\nrequire git.example.com/demo.git v1.0.0\n",
        "go.sum": "git.example.com/demo.git v1.0.0/go.mod h1:" + "A" * 43 + "=\n",
        "main.go": 'package main\n\nimport _ "git.example.com/demo.git"\n\nfunc main() {}\n',
    },
    "composer": {
        "composer.json": json.dumps(
            {"require": {"private/demo": "1.0.0"}, "config": {"secure-http": False}}
        ),
        "composer.lock": json.dumps(_COMPOSER_LOCK),
    },
    "maven": {"pom.xml": _POM, "system.properties": "java.runtime.version=21\n"},
}


def private_app(folder: Path, ecosystem: str, host: str) -> None:
    """Write an app whose one dependency is on ``host``."""
    folder.mkdir(parents=True)
    for name, text in _FILES[ecosystem].items():
        (folder / name).write_text(text.replace("{host}", host))


def private_config(ecosystem: str, host: str) -> Mapping[str, str]:
    """Return config vars: Go asks the host of a module's name, so git is sent to the server."""
    if ecosystem != "go":
        return {}
    return {
        "GOPRIVATE": "git.example.com",
        "GOINSECURE": "git.example.com",
        "GIT_CONFIG_COUNT": "1",
        "GIT_CONFIG_KEY_0": f"url.http://{host}/.insteadOf",
        "GIT_CONFIG_VALUE_0": "https://git.example.com/",
    }
