"""A number over HTTP that a test sets at will: load that does not hang on the machine's speed."""

from __future__ import annotations

import contextlib
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Backlog:
    """What waits to be done; a rule asks for it with `metric`, one replica for each ten of it."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.waiting = 0

    def ask_for(self, replicas: int) -> None:
        """From the next question on as many replicas are needed."""
        self.waiting = 10 * replicas

    @property
    def metric(self) -> str:
        """As an entry of a rule's `metrics`."""
        url = f"http://127.0.0.1:{self.port}/"
        return f"{{type: http, url: '{url}', path: waiting, target: 10, interval: 1s}}"


@contextlib.contextmanager
def backlog() -> Iterator[Backlog]:
    """One that answers while the block lasts."""

    class Answers(BaseHTTPRequestHandler):
        def do_GET(self) -> None:  # the name is the base class's
            body = json.dumps({"waiting": found.waiting}).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Nothing: the test's own output is what matters."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Answers)
    found = Backlog(server.server_address[1])
    thread = threading.Thread(target=server.serve_forever, args=(0.1,))
    thread.start()
    try:
        yield found
    finally:
        server.shutdown()
        thread.join(10)
        server.server_close()
