"""A mail server on loopback that keeps what it is sent."""

from __future__ import annotations

import socketserver
import threading
from collections.abc import Iterator
from email import message_from_string

import pytest


class _Conversation(socketserver.StreamRequestHandler):
    """The little of SMTP (RFC 5321) that a message needs."""

    server: MailServer

    def handle(self) -> None:
        self.wfile.write(b"220 here\r\n")
        while line := self.rfile.readline():
            word = line[:4].upper()
            if word == b"DATA":
                self.wfile.write(b"354 go on\r\n")
                self.server.messages.append(self._message())
                self.wfile.write(b"250 taken\r\n")
            elif word == b"QUIT":
                self.wfile.write(b"221 bye\r\n")
                return
            else:
                self.wfile.write(b"250 good\r\n")

    def _message(self) -> str:
        lines = []
        while (line := self.rfile.readline()) not in {b".\r\n", b""}:
            lines.append(line.decode().removesuffix("\r\n"))
        return "\n".join(lines)


class MailServer(socketserver.ThreadingTCPServer):
    """A real mail server of the test's own."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Conversation)
        self.messages: list[str] = []

    @property
    def port(self) -> int:
        return int(self.server_address[1])

    def texts(self) -> list[str]:
        parsed = [message_from_string(text) for text in self.messages]
        contents = [bytes(m.get_payload(decode=True)) for m in parsed]
        return [content.decode().replace("\n", " ") for content in contents]


@pytest.fixture
def mail_server() -> Iterator[MailServer]:
    with MailServer() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        yield server
        server.shutdown()
        thread.join()
