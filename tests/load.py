"""Requests of mixed length at a steady rate, and every answer that was not the app's own."""

from __future__ import annotations

import asyncio
import itertools
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import aiohttp

from terminal import GATEWAY

LENGTHS = (0.0, 0.0, 0.0, 0.1, 0.0, 0.0, 0.5, 0.0, 0.0, 2.0, 0.0, 0.0, 0.0, 0.1, 0.0, 5.0)
"""Seconds that requests take, in turn: most are short, some outlast what a router waits."""

METHODS = ("GET", "GET", "POST")
"""In turn; what a router cannot send again when a dyno hangs up is among them."""

MARK = "the app's own answer"
"""What an answer of the app begins with."""

SERVER = f"""
import http.server, os, select, signal, threading, time, urllib.parse

class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        query = urllib.parse.parse_qs(urllib.parse.urlsplit(self.path).query)
        time.sleep(float(query.get("seconds", ["0"])[0]))
        body = ("{MARK}, " + os.environ["HEROKU_RELEASE_VERSION"]).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_POST = do_GET

class Server(http.server.ThreadingHTTPServer):
    daemon_threads = False
    request_queue_size = 128

server = Server(("", int(os.environ["PORT"])), Handler)

def stop(*_):
    print("SIGTERM: finishing what is running", flush=True)
    threading.Thread(target=server.shutdown).start()

signal.signal(signal.SIGTERM, stop)
server.serve_forever()
while select.select([server], [], [], 0)[0]:
    server.handle_request()
server.server_close()
print("stopped cleanly", flush=True)
"""
"""The app: it waits as long as it is asked to, and ends what runs before it stops.

That includes connections that wait to be taken: a busy machine may hold it up for seconds before.
"""


@dataclass
class Load:
    """What came back so far."""

    host: str
    rate: float
    answers: Counter[str] = field(default_factory=Counter)
    when: dict[str, list[str]] = field(default_factory=dict)
    """First and last moment at which a request was sent that the app did not answer."""
    seconds: float = 0.0
    """How long requests were sent."""
    _over: threading.Event = field(default_factory=threading.Event)

    @property
    def count(self) -> int:
        return self.answers.total()

    @property
    def dropped(self) -> dict[str, int]:
        """Return answers that the app did not give, with their number."""
        return {said: number for said, number in self.answers.items() if said != "200"}

    async def run(self) -> None:
        connector = aiohttp.TCPConnector(limit=0)
        async with (
            aiohttp.ClientSession(connector=connector) as session,
            asyncio.TaskGroup() as tasks,
        ):
            began = time.monotonic()
            for number in itertools.count():
                self.seconds = time.monotonic() - began
                if self._over.is_set():
                    return
                method, seconds = METHODS[number % len(METHODS)], LENGTHS[number % len(LENGTHS)]
                tasks.create_task(self._ask(session, method, seconds))
                # What a busy machine held up is caught up with, or the rate would be a lower one.
                await asyncio.sleep(max(0.0, began + (number + 1) / self.rate - time.monotonic()))

    def end(self) -> None:
        self._over.set()

    async def _ask(self, session: aiohttp.ClientSession, method: str, seconds: float) -> None:
        host, port = GATEWAY
        sent = time.strftime("%T", time.gmtime())
        url = f"http://{host}:{port}/?seconds={seconds}"
        headers = {"Host": f"{self.host}:{port}"}
        data = "some words" if method == "POST" else None
        try:
            async with session.request(method, url, headers=headers, data=data) as answer:
                text = await answer.text()
                own = answer.status == 200 and text.startswith(MARK)
                self._note("200" if own else f"{method} {answer.status} {text[:60]}", sent)
        except (aiohttp.ClientError, TimeoutError) as error:
            self._note(f"{method} {type(error).__name__}: {error}", sent)

    def _note(self, said: str, sent: str) -> None:
        self.answers[said] += 1
        if said != "200":
            self.when[said] = [*self.when.get(said, [])[:1], sent]


@contextmanager
def under_load(host: str, rate: float = 50) -> Iterator[Load]:
    """Ask an app while the context lasts; afterwards every request has its answer."""
    load = Load(host, rate)
    thread = threading.Thread(target=lambda: asyncio.run(load.run()))
    thread.start()
    try:
        yield load
    finally:
        load.end()
        thread.join()
