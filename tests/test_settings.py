"""Settings as an installed platform gets them: from environment variables."""

from __future__ import annotations

import pytest

from haikube.settings import Settings, read_settings


def test_words_are_written_with_commas(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HAIKUBE_RESERVED_HOSTS", "api, git,status")

    assert Settings().reserved_hosts == {"api", "git", "status"}


def test_names_are_written_as_a_json_object(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HAIKUBE_BUILDPACKS", '{"acme/rails": "ruby"}')
    monkeypatch.setenv("HAIKUBE_BUILD_ENV", "")

    assert Settings().buildpacks == {"acme/rails": "ruby"}
    assert Settings().build_env == {}


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ("heroku/nodejs=ruby", "HAIKUBE_BUILDPACKS: Value error, it is not JSON"),
        ('["ruby"]', "HAIKUBE_BUILDPACKS: Value error, it is not a JSON object of texts"),
        ('{"acme/rails": {"url": "hunter2"}}', "it is not a JSON object of texts, such as"),
    ],
)
def test_a_wrong_setting_ends_the_program_with_its_name_and_not_its_value(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], value: str, words: str
) -> None:
    monkeypatch.setenv("HAIKUBE_BUILDPACKS", value)
    with pytest.raises(SystemExit) as caught:
        read_settings("haikube-api")

    said = capsys.readouterr().err
    assert caught.value.code == 2
    assert said.startswith("haikube-api: setting HAIKUBE_BUILDPACKS: ")
    assert words in said
    assert "hunter2" not in said
