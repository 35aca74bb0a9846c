"""An app may answer before it has read what was sent: its answer arrives whole."""

from __future__ import annotations

import socket
import time

from terminal import GATEWAY, Make, Workspace, eventually

SERVER = """
import asyncio, os, re

async def serve(reader, writer):
    while head := await reader.readuntil(b"\\r\\n\\r\\n"):
        for part in (b"HTTP/1.1 200 OK\\r\\nTransfer-Encoding: chunked\\r\\n\\r\\n",
                     b"5\\r\\nearly\\r\\n", b"0\\r\\n\\r\\n"):
            writer.write(part)
            await writer.drain()
            await asyncio.sleep(0.001)
        length = re.search(rb"content-length: *(\\d+)", head.lower())
        await reader.readexactly(int(length[1]) if length else 0)

async def main():
    server = await asyncio.start_server(serve, port=int(os.environ["PORT"]))
    await server.serve_forever()

asyncio.run(main())
"""
BODY = b"some words"


def test_an_answer_before_the_body_arrives_whole(workspace: Make) -> None:
    app = workspace("early")
    app.write("requirements.txt", "")
    app.write("app.py", SERVER)
    app.write("Procfile", "web: python app.py\n")
    app.commit()
    app.push()
    eventually(lambda: app.answers("early"), "the first answer")

    answers = [late(app, pause / 10_000) for pause in range(100)]

    cut = [answer for answer in answers if not answer.endswith(b"5\r\nearly\r\n0\r\n\r\n")]
    assert not cut, f"{len(cut)} of 100: {cut[0]!r}"


def late(app: Workspace, pause: float) -> bytes:
    """Return the answer to a request whose body comes a moment later."""
    head = f"POST / HTTP/1.1\r\nHost: {app.app}.localhost\r\nContent-Length: {len(BODY)}\r\n\r\n"
    answer = b""
    with socket.create_connection(GATEWAY, timeout=60) as connection:
        connection.sendall(head.encode())
        time.sleep(pause)
        connection.sendall(BODY)
        while not answer.endswith(b"\r\n0\r\n\r\n") and (more := connection.recv(4096)):
            answer += more
    return answer
