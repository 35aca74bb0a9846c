"""Bad input at the door: each refusal names the value and the remedy, and nothing is lost."""

from __future__ import annotations

import re
import threading

import pytest

import sample_apps as apps
from terminal import API, Make, Person, Workspace, eventually


@pytest.fixture
def small(workspace: Make) -> Workspace:
    app = workspace("small")
    apps.plain(app.folder)
    app.commit("first")
    return app


def test_another_branch_is_stored_with_the_command_that_would_deploy_it(small: Workspace) -> None:
    said = small.push("main:feature")

    assert "Branch feature is stored, not deployed" in said
    assert "git push heroku feature:main" in said


def test_no_buildpack_matches(workspace: Make) -> None:
    app = workspace("nothing")
    app.write("notes.txt", "no language here")
    app.commit()
    said = app.push(check=False)

    assert "No default language could be detected" in said
    assert "Push rejected" in said


def test_a_broken_procfile_line_is_shown_with_its_number(small: Workspace) -> None:
    small.write("Procfile", "web: python app.py\nthis is no process type\n")
    small.commit()
    said = small.push(check=False)

    assert "Procfile" in said
    assert "line 2" in said
    assert "this is no process type" in said


def test_a_build_that_prints_much_and_fails_shows_its_last_lines(small: Workspace) -> None:
    small.write("bin/pre_compile", "seq 20000\nexit 1\n")
    small.commit()
    said = small.push(check=False)

    numbers = re.findall(r"^remote:\s+(\d+)\s*$", said, re.MULTILINE)
    assert numbers == [str(number) for number in range(1, 20_001)]
    assert "Push failed" in said


def test_no_web_and_no_default_type(small: Workspace) -> None:
    (small.folder / "Procfile").unlink()
    small.commit()
    said = small.push(check=False)

    assert "Procfile" in said
    assert "web:" in said


def test_an_empty_repository_has_nothing_to_push(workspace: Make) -> None:
    said = workspace("empty").push(check=False)

    assert "src refspec main does not match any" in said


def test_an_unknown_app_is_named(small: Workspace) -> None:
    small.git("remote", "set-url", "heroku", f"{API}/no-such-app.git")
    said = small.push(check=False)

    assert "no-such-app" in said
    assert "not found" in said.lower()


def test_a_wrong_token_is_refused_and_says_login(small: Workspace) -> None:
    small.git("config", f"credential.{API}.helper", "")
    wrong = API.replace("://", "://x:wrong@")
    small.git("remote", "set-url", "heroku", f"{wrong}/{small.app}.git")
    said = small.push(check=False)

    assert "Authentication failed" in said


def test_a_bad_app_name_is_refused_with_the_rule(person: Person) -> None:
    said = person.haikube("create", "Bad_Name", check=False)

    assert said.returncode == 1
    assert "Bad_Name" in said.stdout
    assert "lower" in said.stdout.lower()


def test_two_pushes_at_once_both_tell_the_truth(small: Workspace, person: Person) -> None:
    """The second waits; what both said is what the platform has."""
    other = small.folder.parent / f"{small.app}-clone"
    person.run("git", "clone", "-q", str(small.folder), str(other))
    person.run("git", "remote", "add", "heroku", f"{API}/{small.app}.git", cwd=other)
    person.run("git", "commit", "-q", "--allow-empty", "-m", "the other", cwd=other)
    answers: dict[str, str] = {}

    def push(name: str, folder: object) -> None:
        done = person.run("git", "push", "heroku", "main", cwd=folder, check=False)  # type: ignore[arg-type]
        answers[name] = done.stdout

    threads = [
        threading.Thread(target=push, args=(name, folder))
        for name, folder in (("one", small.folder), ("two", other))
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert any("Waiting for another push" in said for said in answers.values())
    released = [said for said in answers.values() if "Released v" in said]
    releases = person.items("releases", small.app)
    assert len(released) == len(releases) - 1 >= 1, "the first one is no push's"
    eventually(lambda: small.answers("hello web.1"), "200 after both")


def test_an_unchanged_push_says_so_and_builds_nothing(small: Workspace, person: Person) -> None:
    small.push()
    said = small.push()

    assert "Everything up-to-date" in said
    assert len(person.items("builds", small.app)) == 1


def test_haikube_deploy_uploads_a_folder_and_its_log_stays_readable(
    workspace: Make, person: Person
) -> None:
    app = workspace("tarball")
    apps.plain(app.folder, "from a tarball")
    said = person.haikube("deploy", str(app.folder), "--app", app.app).stdout
    assert "Python app detected" in said

    eventually(lambda: app.answers("from a tarball web.1"), "200")
    log = person.haikube("builds", "logs", "--app", app.app).stdout
    assert "Python app detected" in log
    url = person.haikube("open", "--print", "--app", app.app).stdout.strip()
    assert url == app.url
