"""Other lines of Java under every build tool, and what Java draws, on the run image."""

from __future__ import annotations

import shutil

import pytest

from buildpacks.test_runtimes import BESIDE, SAMPLES
from buildpacks.theatre import Play, Theatre

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


@pytest.mark.parametrize(("line", "suite"), [("17", "bookworm")])
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
