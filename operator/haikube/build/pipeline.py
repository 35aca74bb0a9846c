"""A build from source to stored slug, step by step, as Heroku does and prints it."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

from haikube.build.borrowed import bring_along
from haikube.build.buildpack import Buildpack
from haikube.build.cache import BuildCache
from haikube.build.chain import Chain
from haikube.build.committed import warn_of_environments
from haikube.build.containers import warn_of_manifest
from haikube.build.deadline import Deadline
from haikube.build.environment import buildpack_env, write_env_dir
from haikube.build.layout import Layout
from haikube.build.lfs import warn_of_pointers
from haikube.build.misnamed import misnamed_procfile, warn_of_aptfile, warn_of_misnamed
from haikube.build.packs import PackShelf
from haikube.build.process_types import ProcessTypes, announce, check_procfile, read_declared
from haikube.build.request import Request
from haikube.build.result import Built
from haikube.build.selection import chosen_buildpacks
from haikube.build.slug import pack_slug, store_slug
from haikube.build.slugignore import apply_slugignore
from haikube.build.source import SourceFetcher, folder_of
from haikube.build.starting import warn_of_commands
from haikube.build.transcript import Transcript
from haikube.build.transfer import Fetched, Transfer
from haikube.build.windows import mend_source


class Pipeline:
    """One build; ``run`` is called once."""

    def __init__(
        self,
        request: Request,
        layout: Layout,
        transfer: Transfer,
        transcript: Transcript,
        deadline: Deadline,
    ) -> None:
        self._request = request
        layout = replace(layout, folder=folder_of(request.path))
        self._layout = layout
        self._transfer = transfer
        self._transcript = transcript
        self._deadline = deadline
        self._env = buildpack_env(request, layout, transfer.ca_file)
        self._cache = BuildCache(layout, transfer, deadline, limit=request.limits.cache_bytes)

    def run(self) -> Built:
        """Build; raises ``BuildFailure`` with the reason when it cannot be done."""
        commit = self._prepare()
        chain = Chain(self._layout, self._env, self._transcript, self._deadline)
        buildpacks = self._buildpacks(chain)
        compiled = chain.run(buildpacks)
        types = ProcessTypes(
            read_declared(self._layout.build_dir),
            compiled.defaults,
            misnamed_procfile(self._layout.build_dir),
        )
        announce(types, self._transcript)
        warn_of_commands(types.declared, self._layout.build_dir, self._transcript)
        types.require()
        self._bring_along()
        return Built(
            slug=self._store(),
            process_types=types.merged,
            buildpacks=[buildpack.label for buildpack in buildpacks],
            language=compiled.language,
            commit=commit,
        )

    def _prepare(self) -> str:
        """Bring source, config and cache; returns the commit."""
        fetcher = SourceFetcher(
            self._layout, self._transfer, self._transcript, self._env, self._deadline
        )
        commit = fetcher.fetch(self._request)
        self._env["SOURCE_VERSION"] = commit
        write_env_dir(self._layout)
        self._transcript.topic(f"Building on the {self._request.stack.capitalize()} stack")
        self._look_at_source()
        if removed := apply_slugignore(self._layout.build_dir):
            self._transcript.topic(f"Deleting {removed} files matching .slugignore patterns.")
        self._cache.restore(self._transcript)
        return commit

    def _look_at_source(self) -> None:
        """Refuse and remark what can be seen of it before anything is built."""
        mend_source(self._layout.build_dir, self._transcript)
        check_procfile(self._layout.build_dir, self._transcript)
        warn_of_misnamed(self._layout.build_dir, self._transcript)
        warn_of_manifest(self._layout.build_dir, self._transcript)
        warn_of_environments(self._layout.build_dir, self._transcript)
        warn_of_pointers(self._layout.build_dir, self._transcript)

    def _buildpacks(self, chain: Chain) -> Sequence[Buildpack]:
        names = self._request.buildpack_names
        shelf = PackShelf(self._layout, self._transfer, self._env, self._deadline, names)
        layout, remark = self._layout, self._transcript.warning
        chosen = chosen_buildpacks(
            self._request.buildpacks, layout.build_dir, layout.env_dir, remark
        )
        buildpacks = [shelf.take(each) for each in chosen or [f"heroku/{chain.detect_ours()}"]]
        announced = [buildpack.announced for buildpack in buildpacks]
        if chosen or buildpacks[0].origin:
            self._announce(announced)
        warn_of_aptfile(layout.build_dir, announced, self._transcript)
        return buildpacks

    def _announce(self, labels: Sequence[str]) -> None:
        if len(labels) == 1:
            self._transcript.topic(f"Using buildpack: {labels[0]}")
            return
        self._transcript.topic("Using buildpacks:")
        for number, label in enumerate(labels, start=1):
            self._transcript.detail(f"{number}. {label}")

    def _bring_along(self) -> None:
        if links := bring_along(self._layout):
            self._transcript.topic(f"Copying what {links} links take from outside the app's folder")

    def _store(self) -> Fetched:
        """Pack and upload the slug while the cache is saved beside it."""
        with ThreadPoolExecutor(max_workers=1) as beside:
            saving = beside.submit(self._cache.save)
            slug = pack_slug(self._layout, self._request.limits, self._transcript, self._deadline)
            store_slug(self._layout, self._transfer)
            trouble = saving.result()
        if trouble:
            self._transcript.warning(trouble)
        return slug
