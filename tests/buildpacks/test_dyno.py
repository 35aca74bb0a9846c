"""A dyno in the run image: what it finds, and what it says when it cannot start."""

from __future__ import annotations

import time

import pytest

from buildpacks.theatre import Theatre

pytestmark = pytest.mark.stack

SERVE = (
    'printf "HTTP/1.0 200 OK\\r\\n\\r\\nhello from %s" "$DYNO" > /tmp/answer; '
    'while :; do nc -l -p "$PORT" -q 0 < /tmp/answer > /dev/null; done'
)


def test_a_web_dyno_answers_and_ends_at_sigterm(theatre: Theatre) -> None:
    result = theatre.pack_slug({"serve": SERVE})
    with theatre.boot(result, "bash serve") as dyno:
        answer = dyno.get()
        assert (answer.status, answer.body) == (200, b"hello from web.1")
        assert dyno.stop() == 143


def test_a_web_dyno_that_does_not_listen_in_time_is_ended(theatre: Theatre) -> None:
    result = theatre.pack_slug({})
    with theatre.boot(result, "trap '' TERM; sleep 99; echo late", options=("--boot", "1")) as dyno:
        assert dyno.wait(30) == 137
    assert "Error R10 (Boot timeout) -> Web process failed to bind to $PORT within 1 seconds" in (
        theatre.output
    )
    assert "late" not in theatre.output


def test_a_web_dyno_that_listens_in_time_is_left_alone(theatre: Theatre) -> None:
    """It has no child of ours, and outlives its boot limit."""
    watched = "ps -o comm= --ppid $$ > /tmp/seen; "
    answer = SERVE.replace("hello from %s", "%s").replace('"$DYNO"', '"$(tr -d " \n" < /tmp/seen)"')
    result = theatre.pack_slug({"serve": watched + answer})
    with theatre.boot(result, "bash serve", options=("--boot", "2")) as dyno:
        assert dyno.get().body == b"ps"
        time.sleep(2.1)
        assert dyno.get().body == b"ps"
        assert dyno.stop() == 143


def test_the_environment_of_a_dyno(theatre: Theatre) -> None:
    theatre.config = {"GREETING": "a 'quoted' value", "FROM_PROFILE": "config"}
    result = theatre.pack_slug(
        {
            ".profile.d/a.sh": 'export FIRST=1 FROM_PROFILE="${FROM_PROFILE:-profile.d}"\n',
            ".profile.d/b.sh": "export SECOND=$((FIRST + 1))\nfalse\n",
            ".profile": 'export THIRD="$SECOND$SECOND"\nset -e\n',
        }
    )
    shown = theatre.run(
        result,
        'echo "$DYNO|$HOME|$PWD|$(id -u)|${PORT:-none}|$SECOND$THIRD|$FROM_PROFILE|$GREETING"',
    )
    assert shown == "run.1|/app|/app|12345|none|222|config|a 'quoted' value\n"


BENT = {
    "http_proxy": "http://127.0.0.1:9",
    "https_proxy": "http://127.0.0.1:9",
    "ALL_PROXY": "socks5://127.0.0.1:9",
    "TMPDIR": "/app/tmp",
    "TAR_OPTIONS": "--verbose",
    "SSL_CERT_FILE": "/app/certs/ca.pem",
    "LD_PRELOAD": "libjemalloc.so.2",
    "PATH": "bin:/usr/local/bin:/usr/bin:/bin",
    "ZSTD_CLEVEL": "19",
    "CURL_HOME": "/app",
    "GZIP": "-v",
}


def test_no_config_var_keeps_a_dyno_from_starting(theatre: Theatre) -> None:
    theatre.config = dict(BENT)
    result = theatre.pack_slug({"bin/greet": "echo hello\n", "tmp/.keep": ""}, ("gzip", "-c"))
    shown = theatre.run(result, "/bin/bash bin/greet; echo $TMPDIR $ALL_PROXY $GZIP")
    assert shown == "hello\n/app/tmp socks5://127.0.0.1:9 -v\n"


def test_a_dyno_does_not_hear_of_the_cluster(theatre: Theatre) -> None:
    theatre.config = {"KUBERNETES_MASTER": "a config var"}
    result = theatre.pack_slug({})
    names = ("KUBERNETES_PORT", "KUBERNETES_PORT_443_TCP", "KUBERNETES_SERVICE_HOST")
    shown = theatre.run(
        result, "env | grep ^KUBERNETES_ | sort", **dict.fromkeys(names, "10.96.0.1")
    )
    assert shown == "KUBERNETES_MASTER=a config var\n"


def test_the_app_may_write_where_heroku_lets_it(theatre: Theatre) -> None:
    result = theatre.pack_slug({"sub/file": "x"})
    assert theatre.run(result, "touch /app/new /app/sub/new /tmp/new && echo fine") == "fine\n"


def test_a_gzip_slug_is_taken_too(theatre: Theatre) -> None:
    result = theatre.pack_slug({"file": "from gzip\n"}, ("gzip", "-c"))
    assert theatre.run(result, "cat file") == "from gzip\n"


def test_a_dyno_starts_without_a_name_from_the_operator(theatre: Theatre) -> None:
    result = theatre.pack_slug({})
    shown = theatre.run(
        result,
        "echo $DYNO",
        name="",
        HAIKUBE_POD="hello-web-6d4f-x7k2p",
        fetch="/haikube/fetch 1 1",
    )
    assert shown == "run.x7k2p\n"


def test_nothing_runs_when_the_digest_is_wrong(theatre: Theatre) -> None:
    theatre.pack_slug({"file": ""})
    wrong = {"slug": {"digest": "sha256:" + "0" * 64}}
    with theatre.boot(wrong, "echo it ran", "run.1", fetch="/haikube/fetch 2") as dyno:
        assert dyno.wait(60) == 1
    assert "it ran" not in theatre.output
    assert "its sha256 digest is not that of the release; trying again in 1 s" in theatre.output
    assert "Error R99 (Platform error): the slug of v1 is not usable" in theatre.output


def test_a_storage_that_is_away_is_said_so_without_its_url(theatre: Theatre) -> None:
    result = theatre.pack_slug({"file": ""})
    (theatre.stage.objects.folder / "slug.tar.zst").unlink()
    with theatre.boot(result, "echo it ran", "run.1", fetch="/haikube/fetch 1") as dyno:
        assert dyno.wait(60) == 1
    assert "could not be fetched from the object storage" in theatre.output
    assert "404" in theatre.output
    assert "slug.tar.zst" not in theatre.output


def test_a_slug_of_another_form_is_said_so(theatre: Theatre) -> None:
    broken = theatre.pack_slug({"file": ""}, ("base64",))
    with theatre.boot(broken, "echo it ran", "run.1", fetch="/haikube/fetch 1") as dyno:
        assert dyno.wait(60) == 1
    assert "could not be unpacked" in theatre.output


def test_a_slow_name_does_not_hold_up_a_dyno_that_has_it(theatre: Theatre) -> None:
    result = theatre.pack_slug({})
    assert theatre.run(result, "echo $DYNO", name="worker.7") == "worker.7\n"


def test_an_attached_dyno_waits_for_its_session(theatre: Theatre) -> None:
    shown = theatre.run(theatre.pack_slug({}), "echo it ran", options=("--attach", "1"))
    assert shown == "Error R13 (Attach error) -> Failed to attach to process\n"
