"""HTTP: requests come in and are logged, faults strike, replies go out."""

from __future__ import annotations

import json
import select
import socket
import struct
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from fake_github.api import Api
from fake_github.faults import DOCS, Failure, Request
from fake_github.git_service import GitService
from fake_github.reply import Reply

if TYPE_CHECKING:
    from fake_github.server import GitHub

API = "/api/v3"


class Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 128
    github: GitHub

    def handle_error(self, request: object, client_address: object) -> None:
        """Note an error of the fake itself; a client that hung up is none."""
        error = sys.exc_info()[1]
        if not isinstance(error, (ConnectionError, TimeoutError)):
            self.github.violations.append(f"the fake failed: {error!r}")


class Connection(BaseHTTPRequestHandler):
    """Takes requests, applies faults, and passes on to the API or to git."""

    protocol_version = "HTTP/1.1"
    wbufsize = -1
    disable_nagle_algorithm = True
    server: Server

    def log_message(self, format: str, *arguments: object) -> None:  # noqa: A002 - the name that is overridden
        """The log is kept by GitHub."""

    def handle_any(self) -> None:
        github = self.server.github
        parts = urlsplit(self.path)
        content = self._content()
        git = not parts.path.startswith("/api/")
        path = parts.path if git else parts.path.removeprefix(API).removeprefix("/api")
        request = Request(self.command, path, parts.query, git, at=github.clock())
        with github.lock:
            github.log.append(request)
            faults = [fault.failure for fault in github.faults if fault.strikes(request)]
        for failure in faults:
            if not failure.after and self._fail(failure, request):
                return
        work = GitService(github) if git else Api(github)
        reply = work.answer(request, self.headers, content)
        for failure in faults:
            if failure.after and self._fail(failure, request):
                return
        self._send(reply, request)

    do_GET = do_POST = do_PATCH = do_PUT = do_DELETE = do_HEAD = handle_any  # noqa: N815 - the names that are looked for

    def _content(self) -> bytes:
        if self.headers.get("Transfer-Encoding", "").lower() == "chunked":
            chunks = []
            while size := int(self.rfile.readline().split(b";")[0], 16):
                chunks.append(self.rfile.read(size))
                self.rfile.readline()
            self.rfile.readline()
            return b"".join(chunks)
        return self.rfile.read(int(self.headers.get("Content-Length") or 0))

    def _fail(self, failure: Failure, request: Request) -> bool:
        """Let it go wrong; False if the request goes on."""
        if failure.kind == "call":
            failure.call()
            return False
        if failure.kind == "answer":
            body = {"message": failure.message, "documentation_url": DOCS, "status": str(failure.status)}
            headers = {"Content-Type": "application/json; charset=utf-8", **failure.headers}
            if failure.reset_in is not None:
                headers["X-RateLimit-Reset"] = str(int(self.server.github.clock() + failure.reset_in))
            self._send(Reply(failure.status, json.dumps(body).encode(), headers), request)
            return True
        if failure.kind == "hang":
            self._wait()
        self.close_connection = True
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.connection.close()
        return True

    def _wait(self) -> None:
        """Until the client hangs up or the server is closed."""
        while not self.server.github.closing.is_set():
            readable, _, _ = select.select([self.connection], [], [], 0.02)
            if readable:
                return

    def _send(self, reply: Reply, request: Request) -> None:
        request.status = reply.status
        self.send_response(reply.status)
        for name, value in reply.headers.items():
            self.send_header(name, value)
        if reply.status not in {204, 304}:
            self.send_header("Content-Length", str(len(reply.body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(reply.body)
