"""An app per language that answers ``/?seconds=S`` after so long, started as is usual there.

Where a language has a way to finish what is running, the app asks for it, as its own documents say:
nothing here knows of the platform.
"""

from __future__ import annotations

import textwrap
from pathlib import Path

from languages.conftest import copy_sample
from load import MARK


def write(folder: Path, files: dict[str, str]) -> None:
    """Write files below a folder."""
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(textwrap.dedent(text).replace("MARK", MARK).lstrip("\n"))


def nodejs(folder: Path) -> None:
    """Write an app without a Procfile: ``npm start``."""
    write(
        folder,
        {
            "package.json": """
            {"name": "kept", "version": "1.0.0", "private": true,
             "engines": {"node": "22.x"}, "scripts": {"start": "node server.js"}}
            """,
            "server.js": """
            const server = require('http').createServer((request, response) => {
              const seconds = new URL(request.url, 'http://x').searchParams.get('seconds');
              setTimeout(() => response.end("MARK"), 1000 * Number(seconds));
            });
            server.listen(process.env.PORT);
            process.on('SIGTERM', () => {
              server.close(() => process.exit(0));
              setInterval(() => server.closeIdleConnections(), 100);
            });
            """,
        },
    )


def python(folder: Path) -> None:
    """Write a WSGI app for gunicorn with threads."""
    write(
        folder,
        {
            "requirements.txt": "gunicorn==23.0.0\n",
            "Procfile": "web: gunicorn --threads 150 app:app\n",
            "app.py": """
            import time
            from urllib.parse import parse_qs

            def app(environ, start_response):
                time.sleep(float(parse_qs(environ["QUERY_STRING"]).get("seconds", ["0"])[0]))
                start_response("200 OK", [("Content-Type", "text/plain")])
                return [b"MARK"]
            """,
        },
    )


def ruby(folder: Path) -> None:
    """Turn what ``languages.ruby.apps`` made, Sinatra on Puma, into the app."""
    write(
        folder,
        {
            "app.rb": """
            require "sinatra"
            %i[get post].each { |verb| send(verb, "/") { sleep(params["seconds"].to_f); "MARK" } }
            """,
            "config/puma.rb": "threads 16, 150\n",
        },
    )


def go(folder: Path) -> None:
    """Write an app of the standard library that shuts down as its documents say."""
    copy_sample("go/net-http", folder)
    write(
        folder,
        {
            "main.go": """
            package main

            import (
            \t"context"
            \t"fmt"
            \t"log"
            \t"net/http"
            \t"os"
            \t"os/signal"
            \t"syscall"
            \t"time"
            )

            func main() {
            \thttp.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
            \t\twait, _ := time.ParseDuration(r.URL.Query().Get("seconds") + "s")
            \t\ttime.Sleep(wait)
            \t\tfmt.Fprint(w, "MARK")
            \t})
            \tserver := &http.Server{Addr: ":" + os.Getenv("PORT")}
            \tstop, cancel := signal.NotifyContext(context.Background(), syscall.SIGTERM)
            \tdefer cancel()
            \tdone := make(chan error)
            \tgo func() {
            \t\t<-stop.Done()
            \t\tdone <- server.Shutdown(context.Background())
            \t}()
            \tif err := server.ListenAndServe(); err != http.ErrServerClosed {
            \t\tlog.Fatal(err)
            \t}
            \t<-done
            }
            """,
        },
    )


def php(folder: Path) -> None:
    """Write a page, without a Procfile."""
    page = """<?php usleep((int) (1e6 * $_GET['seconds'])); echo "MARK";\n"""
    write(folder, {"index.php": page})


def java(folder: Path) -> None:
    """Write a Spring Boot app, without a Procfile; its sample asks for a graceful shutdown."""
    copy_sample("java/spring-boot", folder)
    write(
        folder,
        {
            "src/main/java/com/example/hello/HelloApplication.java": """
            package com.example.hello;

            import org.springframework.boot.SpringApplication;
            import org.springframework.boot.autoconfigure.SpringBootApplication;
            import org.springframework.web.bind.annotation.*;

            @SpringBootApplication
            @RestController
            public class HelloApplication {
                public static void main(String[] args) {
                    SpringApplication.run(HelloApplication.class, args);
                }

                @RequestMapping("/")
                public String wait(@RequestParam double seconds) throws InterruptedException {
                    Thread.sleep((long) (1000 * seconds));
                    return "MARK";
                }
            }
            """,
        },
    )


def clojure(folder: Path) -> None:
    """Write an app on Jetty, without a Procfile, that stops when its program is told to."""
    copy_sample("clojure/jetty", folder)
    write(
        folder,
        {
            "src/hello/core.clj": """
            (ns hello.core
              (:gen-class)
              (:import (jakarta.servlet.http HttpServletRequest HttpServletResponse)
                       (org.eclipse.jetty.server Request Server)
                       (org.eclipse.jetty.server.handler AbstractHandler StatisticsHandler)))

            (defn handler []
              (proxy [AbstractHandler] []
                (handle [_ ^Request base ^HttpServletRequest request ^HttpServletResponse response]
                  (let [seconds (Double/parseDouble (.getParameter request "seconds"))]
                    (Thread/sleep (long (* 1000 seconds))))
                  (.print (.getWriter response) "MARK")
                  (.setHandled base true))))

            (defn -main [& _]
              (let [counted (doto (StatisticsHandler.) (.setHandler (handler)))]
                (doto (Server. (Integer/parseInt (or (System/getenv "PORT") "5000")))
                  (.setHandler counted)
                  (.setStopTimeout 20000)
                  (.setStopAtShutdown true)
                  (.start)
                  (.join))))
            """,
        },
    )


def scala(folder: Path) -> None:
    """Write a Pekko HTTP app, without a Procfile, that ends by its coordinated shutdown."""
    copy_sample("scala/pekko-http", folder)
    write(
        folder,
        {
            "src/main/scala/Hello.scala": """
            import org.apache.pekko.actor.typed.ActorSystem
            import org.apache.pekko.actor.typed.scaladsl.Behaviors
            import org.apache.pekko.http.scaladsl.Http
            import org.apache.pekko.http.scaladsl.server.Directives._
            import org.apache.pekko.pattern.after
            import scala.concurrent.Future
            import scala.concurrent.duration._

            object Hello extends App {
              implicit val system: ActorSystem[Nothing] = ActorSystem(Behaviors.empty, "hello")
              import system.executionContext

              private val route = parameter("seconds".as[Double]) { seconds =>
                complete(after((seconds * 1000).toLong.millis)(Future.successful("MARK")))
              }
              Http().newServerAt("0.0.0.0", sys.env("PORT").toInt).bind(route)
                .foreach(_.addToCoordinatedShutdown(20.seconds))
            }
            """,
        },
    )
