"""Java on the cluster: Spring Boot, and the web application of Maven's archetype."""

from __future__ import annotations

from languages.cluster.conftest import Live
from languages.conftest import copy_sample
from languages.journey import CacheSign
from terminal import Make

CACHED = CacheSign(once="Fetching OpenJDK")


def test_spring_boot(workspace: Make, live: Live) -> None:
    app = workspace("spring")
    copy_sample("java/spring-boot", app.folder)

    journey = live("java Spring Boot", app, CACHED)

    assert journey.command == "java -Dserver.port=$PORT $JAVA_OPTS -jar target/hello-1.0.0.jar"
    assert journey.body == "Hello from Spring Boot on Java 21\n"


def test_a_web_application(workspace: Make, live: Live) -> None:
    app = workspace("webapp")
    copy_sample("java/webapp", app.folder)

    journey = live("java webapp", app, CACHED)

    assert "webapp-runner.jar" in journey.command
    assert "<h2>Hello World!</h2>" in journey.body
