"""The scripts that a JVM dyno sources, without a JVM."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

DYNO = Path(__file__).parents[3] / "buildpacks" / "lib" / "dyno"


def sourced(script: str, **environment: str) -> dict[str, str]:
    """Return the environment after sourcing a script."""
    printed = subprocess.run(
        ["bash", "-c", '. "$1" && env -0', "bash", DYNO / script],
        env={"PATH": "/usr/bin:/bin", "HOME": "/app", **environment},
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    return dict(line.split("=", 1) for line in printed.rstrip("\0").split("\0"))


@pytest.mark.parametrize(
    ("memory", "options"),
    [
        ("512", "-Xmx300m -Xss512k -XX:CICompilerCount=2"),
        ("256", "-Xmx150m -Xss512k -XX:CICompilerCount=2"),
        ("1024", "-Xmx671m -XX:CICompilerCount=2"),
        ("2560", "-XX:MaxRAMPercentage=80.0"),
        ("", "-XX:MaxRAMPercentage=80.0"),
    ],
)
def test_the_heap_leaves_room_for_the_rest(memory: str, options: str) -> None:
    environment = sourced("jvm.sh", MEMORY_AVAILABLE=memory)

    assert environment["JAVA_TOOL_OPTIONS"] == f"-Dfile.encoding=UTF-8 {options}"
    assert environment["JAVA_HOME"] == "/app/.jdk"
    assert environment["PATH"].startswith("/app/.jdk/bin:")


def test_a_heap_that_the_app_sets_stays() -> None:
    environment = sourced("jvm.sh", JAVA_OPTS="-Xmx1g", JAVA_TOOL_OPTIONS="-Da=b")

    assert environment["JAVA_TOOL_OPTIONS"] == "-Dfile.encoding=UTF-8 -Da=b"


@pytest.mark.parametrize(
    ("url", "jdbc"),
    [
        (
            "postgres://u:p%40w@db.example:5432/app",
            "jdbc:postgresql://db.example:5432/app?user=u&password=p%40w&sslmode=require",
        ),
        ("postgresql://h/x?sslmode=disable", "jdbc:postgresql://h/x?sslmode=disable"),
        ("mysql://a:b@h:3306/x", "jdbc:mysql://h:3306/x?user=a&password=b"),
    ],
)
def test_a_database_url_for_jdbc(url: str, jdbc: str) -> None:
    environment = sourced("jdbc.sh", DATABASE_URL=url)

    assert environment["JDBC_DATABASE_URL"] == jdbc
    assert environment["SPRING_DATASOURCE_URL"] == jdbc


def test_names_and_passwords_are_decoded() -> None:
    environment = sourced("jdbc.sh", DATABASE_URL="postgres://u%2Bx:p%40%25w@h/x")

    assert environment["JDBC_DATABASE_USERNAME"] == "u+x"
    assert environment["SPRING_DATASOURCE_PASSWORD"] == "p@%w"


def test_no_tls_in_ci_and_none_twice() -> None:
    environment = sourced("jdbc.sh", DATABASE_URL="postgres://h/x", CI="true")

    assert environment["JDBC_DATABASE_URL"] == "jdbc:postgresql://h/x"


def test_what_the_app_sets_stays() -> None:
    environment = sourced(
        "jdbc.sh",
        DATABASE_URL="postgres://h/x",
        JDBC_DATABASE_URL="jdbc:postgresql://other/x",
        SPRING_DATASOURCE_URL="mine",
        REDIS_URL="redis://r",
    )

    assert environment["JDBC_DATABASE_URL"] == "jdbc:postgresql://other/x"
    assert environment["SPRING_DATASOURCE_URL"] == "mine"
    assert environment["SPRING_REDIS_URL"] == "redis://r"
    assert "SPRING_DATASOURCE_USERNAME" not in environment


@pytest.mark.parametrize(
    ("given", "host"),
    [
        ({"DATABASE_URL": "postgres://db/x"}, "postgresql://db"),
        (
            {
                "DATABASE_URL": "postgres://db/x",
                "DATABASE_CONNECTION_POOL_URL": "postgres://pool/x",
            },
            "postgresql://pool",
        ),
        ({"JAWSDB_URL": "mysql://a:b@jaws/x"}, "mysql://jaws"),
        ({"JAWSDB_MARIA_URL": "mysql://a:b@maria/x"}, "mysql://maria"),
        ({"CLEARDB_DATABASE_URL": "mysql://a:b@clear/x"}, "mysql://clear"),
        (
            {"CLEARDB_DATABASE_URL": "mysql://c/x", "DATABASE_URL": "postgres://db/x"},
            "postgresql://db",
        ),
    ],
)
def test_which_database_it_is(given: dict[str, str], host: str) -> None:
    environment = sourced("jdbc.sh", **given)

    assert environment["JDBC_DATABASE_URL"].startswith(f"jdbc:{host}/x")
    assert environment["SPRING_DATASOURCE_URL"] == environment["JDBC_DATABASE_URL"]


def test_a_connection_pool_has_a_name_of_its_own() -> None:
    environment = sourced("jdbc.sh", DATABASE_CONNECTION_POOL_URL="postgres://u:p@pool/x")

    assert environment["DATABASE_CONNECTION_POOL_JDBC_URL"].startswith("jdbc:postgresql://pool/x?")
    assert "JDBC_DATABASE_URL" not in environment


@pytest.mark.parametrize("name", ["SPRING_REDIS_URL", "SPRING_DATA_REDIS_URL"])
def test_spring_boot_finds_redis_before_and_since_its_third_version(name: str) -> None:
    assert sourced("jdbc.sh", REDIS_URL="redis://r")[name] == "redis://r"
    assert (
        sourced("jdbc.sh", REDIS_URL="redis://r", **{name: "redis://mine"})[name] == "redis://mine"
    )
    assert name not in sourced("jdbc.sh", REDIS_URL="redis://r", DISABLE_SPRING_REDIS_URL="true")


def test_further_databases_get_their_own_names() -> None:
    environment = sourced("jdbc.sh", HEROKU_POSTGRESQL_GREEN_URL="postgres://q:w@h:1/z")

    assert environment["HEROKU_POSTGRESQL_GREEN_JDBC_URL"] == (
        "jdbc:postgresql://h:1/z?user=q&password=w&sslmode=require"
    )


def test_a_url_of_something_else_is_left_alone() -> None:
    assert "JDBC_DATABASE_URL" not in sourced("jdbc.sh", DATABASE_URL="mongodb://h/x")
