"""Runs the buildpacks of a build in order: detect, compile, release, each after the exports before.

The default process types of the last buildpack count, as on Heroku.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from haikube.build.buildpack import Buildpack, Detection
from haikube.build.causes import Causes
from haikube.build.containers import image_files
from haikube.build.deadline import Deadline
from haikube.build.failure import BuildFailure, Reason
from haikube.build.folders import promising_folders
from haikube.build.layout import Layout
from haikube.build.misnamed import misnamed
from haikube.build.processes import end_others
from haikube.build.release_yaml import ReleaseError, default_process_types
from haikube.build.selection import detection_order
from haikube.build.transcript import Transcript

HINT = (
    "its root needs a file that tells its language, for example requirements.txt or package.json, "
    "or set a buildpack for the app"
)


_OF_ANY_APP: Final = frozenset({"static", "procfile"})
"""Buildpacks for what no language knows: beside one they are no news."""


@dataclass(frozen=True, slots=True)
class Compiled:
    """What the chain leaves besides the files in BUILD_DIR."""

    language: str = ""
    defaults: Mapping[str, str] = field(default_factory=dict)


class Chain:
    """The buildpacks' surroundings in one build."""

    def __init__(
        self, layout: Layout, env: Mapping[str, str], transcript: Transcript, deadline: Deadline
    ) -> None:
        self._layout = layout
        self._env = env
        self._transcript = transcript
        self._deadline = deadline
        self._exports: list[Path] = []

    def detect_ours(self) -> str:
        """Return the name of the first of our buildpacks that knows the app."""
        self._transcript.topic("Determining which buildpack to use for this app")
        if known := self._known():
            self._remark_others(known)
            return next(iter(known))
        mistakes = misnamed(self._layout.build_dir)
        images = image_files(self._layout.build_dir)
        raise _undetected(
            promising_folders(self._layout.source_dir, self._is_taken),
            [
                *(
                    f"{name} is not read: rename it to {wanted}"
                    for name, wanted in mistakes.items()
                ),
                *(f"{name} is not read: buildpacks build every app here" for name in images),
            ],
        )

    def _known(self) -> dict[str, str]:
        """Return our buildpacks that know the app, in their order, and what each calls it."""
        names = detection_order(self._layout.buildpacks)
        found = {name: self._called(name, self._layout.build_dir) for name in names}
        return {name: language for name, language in found.items() if language is not None}

    def _remark_others(self, known: Mapping[str, str]) -> None:
        """Say so where the app is one of several languages, as on Heroku: one of them is built."""
        languages = {name: each for name, each in known.items() if name not in _OF_ANY_APP}
        if len(languages) > 1:
            first, second, *_ = languages
            self._transcript.warning(
                f"Several buildpacks know this app ({', '.join(languages.values())}); "
                f"the first builds it. To use more than one:"
            )
            self._transcript.warning(
                f"heroku buildpacks:set heroku/{second} && heroku buildpacks:add heroku/{first}"
            )

    def _takes(self, name: str, folder: Path) -> bool:
        return self._called(name, folder) is not None

    def _called(self, name: str, folder: Path) -> str | None:
        candidate = Buildpack(name, self._layout.buildpacks / name)
        return candidate.detect(folder, env=self._env, deadline=self._deadline).name

    def _is_taken(self, folder: Path) -> bool:
        return any(self._takes(name, folder) for name in detection_order(self._layout.buildpacks))

    def run(self, buildpacks: Sequence[Buildpack]) -> Compiled:
        """Run every buildpack; raises ``BuildFailure`` at the first that does not succeed."""
        compiled = Compiled()
        for buildpack in buildpacks:
            compiled = self._one(buildpack)
        return compiled

    def _one(self, buildpack: Buildpack) -> Compiled:
        found = self._detect(buildpack)
        if found.name is None:
            raise self._incompatible(buildpack, found.explanation)
        self._transcript.topic(f"{found.name} app detected")
        self._compile(buildpack, found.name)
        if buildpack.export.is_file():
            self._exports.append(buildpack.export)
        return Compiled(found.name, self._release(buildpack))

    def _detect(self, buildpack: Buildpack) -> Detection:
        return buildpack.detect(self._layout.build_dir, env=self._env, deadline=self._deadline)

    def _compile(self, buildpack: Buildpack, language: str) -> None:
        causes = Causes(self._layout.scratch)
        try:
            code = self._compiled(buildpack, causes)
        except BuildFailure as interruption:
            if cause := causes.of_interruption(interruption):
                raise _rejected(cause, language) from interruption
            raise
        finally:
            end_others(alone=self._layout.alone)
        if code:
            cause = causes.of_failure()
            raise _rejected(cause, language) if cause else _own_fault(buildpack, language, code)

    def _compiled(self, buildpack: Buildpack, causes: Causes) -> int:
        folders = (self._layout.build_dir, self._layout.cache_dir, self._layout.env_dir)
        code = buildpack.compile(
            folders,
            self._exports,
            self._transcript.output,
            env=self._env,
            deadline=self._deadline,
            last_look=causes.look,
        )
        self._transcript.flush()
        return code

    def _release(self, buildpack: Buildpack) -> Mapping[str, str]:
        printed = buildpack.release(self._layout.build_dir, env=self._env, deadline=self._deadline)
        try:
            return default_process_types(printed)
        except ReleaseError as error:
            raise BuildFailure(
                Reason.RELEASE_SCRIPT_FAILED,
                f"bin/release of buildpack {buildpack.label} printed what cannot be read: {error}",
            ) from error

    def _incompatible(self, buildpack: Buildpack, explanation: str) -> BuildFailure:
        told = [f"       {line}" for line in explanation.splitlines()[:40]]
        return BuildFailure(
            Reason.NO_BUILDPACK_MATCHES,
            f"App not compatible with buildpack {buildpack.label}; "
            "remove it from the app's buildpacks, or add the files it looks for",
            f" !     App not compatible with buildpack: {buildpack.label}",
            *told,
        )


def _undetected(folders: Sequence[str], mistakes: Sequence[str]) -> BuildFailure:
    found = ", ".join(folders)
    hint = HINT if not folders else f"a buildpack would take {found}: haikube path {folders[0]}"
    hint = "; ".join([*mistakes, hint])
    also = (
        []
        if not folders
        else [
            f"\t\t\tThe app may be in a folder: a buildpack would take {found}.",
            f"\t\t\tTo name it: haikube path {folders[0]}",
        ]
    )
    return BuildFailure(
        Reason.NO_BUILDPACK_MATCHES,
        f"No default language could be detected for this app; {hint}",
        " !     No default language could be detected for this app.",
        "\t\t\tHINT: This occurs when no buildpack recognizes the app by its files;",
        f"\t\t\t{HINT}.",
        *also,
    )


def _own_fault(buildpack: Buildpack, language: str, code: int) -> BuildFailure:
    return BuildFailure(
        Reason.COMPILE_FAILED,
        f"Buildpack {buildpack.label} failed to compile the {language} app "
        f"({_ending(code)}); the lines of the build log above say why",
        _verdict(language),
    )


def _rejected(cause: BuildFailure, language: str) -> BuildFailure:
    """Return the cause with what Heroku says of every app that did not compile."""
    told = f" !     {cause.message}"
    return BuildFailure(cause.reason, cause.message, told, _verdict(language))


def _verdict(language: str) -> str:
    return f" !     Push rejected, failed to compile {language} app."


def _ending(code: int) -> str:
    return f"ended by signal {-code}" if code < 0 else f"exit code {code}"
