"""Other lines of Java under every build tool, and what Java draws, on the run image."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from buildpacks.test_runtimes import BESIDE, SAMPLES
from buildpacks.theatre import Play, Theatre
from languages.gradle.test_gradle import java_app
from languages.mirrors.gradle import NAME, pack_gradle
from languages.mirrors.served import served

pytestmark = [pytest.mark.stack, pytest.mark.timeout(900)]


def begin(theatre: Theatre, sample: str, line: str) -> None:
    shutil.copytree(SAMPLES / sample, theatre.app, dirs_exist_ok=True)
    theatre.write({"system.properties": f"java.runtime.version={line}\n"})


def built_with(theatre: Theatre, line: str, suite: str) -> Play:
    built = theatre.build().succeeded()
    assert f"       Using OpenJDK {line}" in built.log
    assert BESIDE.format(suite) in built.log
    return built


def runs_on(theatre: Theatre, built: Play, line: str) -> None:
    shown = theatre.run(built.outcome.result, "java -version")
    assert f'openjdk version "{"1.8" if line == "8" else line}.' in shown


DRAWING = """
import java.awt.Font;
import java.awt.Graphics2D;
import java.awt.GraphicsEnvironment;
import java.awt.image.BufferedImage;
import java.io.ByteArrayOutputStream;
import java.util.Arrays;
import javax.imageio.ImageIO;

/** Draws a word, as a captcha or a report does, and says how much of it is black. */
public class Drawing {
    public static void main(String[] arguments) throws Exception {
        BufferedImage image = new BufferedImage(200, 50, BufferedImage.TYPE_INT_RGB);
        Graphics2D pen = image.createGraphics();
        pen.setFont(new Font(arguments[0], Font.PLAIN, 30));
        pen.drawString("Haikube", 10, 40);
        pen.dispose();
        int[] dots = image.getRGB(0, 0, 200, 50, null, 0, 200);
        long drawn = Arrays.stream(dots).filter(dot -> dot != 0xff000000).count();
        String format = arguments[1];
        ByteArrayOutputStream file = new ByteArrayOutputStream();
        ImageIO.write(image, format, file);
        GraphicsEnvironment place = GraphicsEnvironment.getLocalGraphicsEnvironment();
        boolean known = Arrays.asList(place.getAvailableFontFamilyNames()).contains("DejaVu Sans");
        System.out.println(drawn > 200 && file.size() > 200 && known);
    }
}
"""


def draws_text(theatre: Theatre, built: Play) -> None:
    for font, kind in (("SansSerif", "png"), ("Monospaced", "jpg"), ("DejaVu Sans", "png")):
        command = f"java -cp target/classes Drawing '{font}' {kind}"
        assert theatre.run(built.outcome.result, command).splitlines()[-1] == "true"


@pytest.mark.parametrize(
    ("line", "suite"),
    [("8", "sid"), ("11", "bullseye"), ("17", "bookworm"), ("26", "sid")],
)
def test_maven(theatre: Theatre, line: str, suite: str) -> None:
    begin(theatre, "java/plain", line)
    theatre.write({"src/main/java/Drawing.java": DRAWING})
    built = built_with(theatre, line, suite)

    assert "The slug gets the whole JDK" not in built.log
    with theatre.boot(built.outcome.result, built.processes["web"]) as dyno:
        shown = {"8": "1.8"}.get(line, line)
        assert dyno.get().body.decode() == f"Java {shown}, SQLite 3.46.1"
    draws_text(theatre, built)


def test_the_default_java_draws_text(theatre: Theatre) -> None:
    shutil.copytree(SAMPLES / "java" / "plain", theatre.app, dirs_exist_ok=True)
    theatre.write({"src/main/java/Drawing.java": DRAWING})
    draws_text(theatre, theatre.build().succeeded())


@pytest.mark.parametrize(("line", "suite"), [("8", "sid"), ("17", "bookworm")])
def test_sbt(theatre: Theatre, line: str, suite: str) -> None:
    begin(theatre, "scala/pekko-http", line)
    built = built_with(theatre, line, suite)

    with theatre.boot(built.outcome.result, built.processes["web"]) as dyno:
        assert dyno.get().body.decode() == "Hello from Pekko HTTP on Scala 2.13.16\n"
    runs_on(theatre, built, line)
    assert "compiling" not in theatre.build().succeeded().log


@pytest.mark.parametrize(
    ("sample", "line", "suite"),
    [("clojure/jetty", "11", "bullseye"), ("clojure/deps", "17", "bookworm")],
)
def test_clojure(theatre: Theatre, sample: str, line: str, suite: str) -> None:
    begin(theatre, sample, line)
    built = built_with(theatre, line, suite)

    with theatre.boot(built.outcome.result, built.processes["web"]) as dyno:
        assert dyno.get().body.decode() == "Hello from Jetty on Clojure 1.12.0\n"
    runs_on(theatre, built, line)
    assert "Nothing has changed: using what the last build made" in theatre.build().succeeded().log


@pytest.fixture
def gradle(tmp_path: Path) -> Iterator[str]:
    """Yield the setting with which a wrapper finds a real Gradle."""
    with served(tmp_path) as url:
        pack_gradle(tmp_path / NAME, f"{url}/{NAME}", "/build/cache/gradle")
        yield f"{url}/%s"


GRADLE_APP = """
apply plugin: 'application'
sourceCompatibility = targetCompatibility = 1.8
mainClassName = 'Hello'
task stage(dependsOn: 'installDist')
"""


GRADLE_PROGRAM = """
import com.sun.net.httpserver.HttpServer;
import java.net.InetSocketAddress;

public class Hello {
    public static void main(String[] arguments) throws Exception {
        int port = Integer.parseInt(System.getenv("PORT"));
        byte[] body = ("Java " + System.getProperty("java.specification.version")).getBytes();
        HttpServer server = HttpServer.create(new InetSocketAddress("0.0.0.0", port), 0);
        server.createContext("/", exchange -> {
            exchange.sendResponseHeaders(200, body.length);
            exchange.getResponseBody().write(body);
            exchange.close();
        });
        server.start();
    }
}
"""


@pytest.mark.parametrize(("line", "suite"), [("8", "sid"), ("11", "bullseye"), ("17", "bookworm")])
def test_gradle(theatre: Theatre, gradle: str, line: str, suite: str) -> None:
    java_app(theatre.app)
    properties = theatre.app / "gradle/wrapper/gradle-wrapper.properties"
    properties.write_text(properties.read_text().replace("gradle-8.10.2-all.zip", NAME))
    theatre.write(
        {
            "settings.gradle": "rootProject.name = 'hello'\n",
            "build.gradle": GRADLE_APP,
            "system.properties": f"java.runtime.version={line}\n",
            "src/main/java/Hello.java": GRADLE_PROGRAM,
        }
    )
    # what Debian's start script gives it; its C libraries are not beside it
    options = "-Dorg.gradle.native=false"
    if line != "8":
        options += " --add-opens java.base/java.lang=ALL-UNNAMED"
    theatre.config = {"GRADLE_DISTRIBUTION_URL": gradle, "GRADLE_OPTS": options}
    built = built_with(theatre, line, suite)

    fetched = f"       Downloading {gradle % NAME}\n"
    assert f"       Using {NAME} of GRADLE_DISTRIBUTION_URL\n" in built.log
    assert f"-----> Running: ./gradlew stage\n{fetched}" in built.log
    assert "       BUILD SUCCESSFUL in " in built.log
    assert built.processes == {"web": "build/install/hello/bin/hello"}
    with theatre.boot(built.outcome.result, built.processes["web"]) as dyno:
        shown = {"8": "1.8"}.get(line, line)
        assert dyno.get().body.decode() == f"Java {shown}"
    again = theatre.build().succeeded()
    assert fetched not in again.log
