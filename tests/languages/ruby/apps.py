"""Ruby apps as their generators write them, made at test time with Bundler and the gem mirror."""

from __future__ import annotations

import shutil
from pathlib import Path

from languages.mirrors.gems import RUBY, ruby_workshop

PUMA_DEADLOCK = 1
"""The exit code of about 1 in 150 Pumas on a busy machine: their trap of SIGTERM joins a thread,
and Ruby, at times, takes that for a deadlock ("No live threads left")."""

_RAILS = """
mkdir -p generator && cd generator
if [[ ! -f Gemfile.lock ]]; then
  bundle init && bundle config set --local path gems && bundle add rails
fi
bundle exec rails new /work/app --asset-pipeline=propshaft --skip-javascript --skip-hotwire \\
  --skip-brakeman --skip-rubocop --skip-git --skip-test --skip-bundle
cd /work/app && bundle lock
"""
_SINATRA = """
mkdir app && cd app
bundle init && bundle add sinatra puma rackup rake --skip-install && bundle lock
"""


def rails(folder: Path, mirror: str) -> None:
    """Write what ``rails new`` gives, unmodified, with a lock file made against the mirror."""
    _generate(_RAILS, folder, mirror)


def sinatra(folder: Path, mirror: str) -> None:
    """Write the classic five lines of Sinatra, without a Procfile."""
    _generate(_SINATRA, folder, mirror)
    (folder / "app.rb").write_text(
        'require "sinatra"\n\n'
        'get("/") { "Sinatra on #{ENV.fetch("DYNO")} in #{ENV.fetch("RACK_ENV")}" }\n'
    )
    (folder / "config.ru").write_text('require "./app"\nrun Sinatra::Application\n')


def _generate(script: str, folder: Path, mirror: str) -> None:
    shop = ruby_workshop()
    made = shop.scratch / "app"
    shutil.rmtree(made, ignore_errors=True)
    shop.run(f"{RUBY}\n{script}", BUNDLE_MIRROR__ALL=mirror)
    shutil.copytree(made, folder, dirs_exist_ok=True)
