"""The reports' folder, shown to a browser on this machine: read-only, and nothing beside it."""

from __future__ import annotations

import ipaddress
import os
import socket
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from shutil import copyfileobj
from socketserver import TCPServer
from urllib.parse import quote, unquote, urlsplit

from shopanalysis.errors import ParameterError

HEADERS = {
    "Allow": "GET, HEAD",
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; img-src data:; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-cache",
}
TYPES = {
    ".html": "text/html; charset=utf-8",
    ".json": "application/json; charset=utf-8",
    ".csv": "text/csv; charset=utf-8",
    ".pdf": "application/pdf",
    ".png": "image/png",
    ".xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}
SECONDS = 30  # a browser that says nothing for so long is let go


def is_loopback(host: str) -> bool:
    """Whether `host` is this machine and nothing else: localhost or an address such as 127.0.0.1."""
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def server(folder: Path, host: str, port: int) -> ThreadingHTTPServer:
    """A server of `folder`, bound but not started; port 0 takes a free one.

    Raises ParameterError when there is no such folder, or when others could reach `host`.
    """
    if not is_loopback(host):
        raise ParameterError(
            f"'{host}' can be reached from other machines; allowed: 127.0.0.1, ::1, localhost. "
            "docs/serving.md tells how a web server shows reports to others."
        )
    if not folder.is_dir():
        raise ParameterError(f"There is no folder {folder}: shopanalysis run makes reports.")
    return _Server(folder.resolve(), host, port)


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, folder: Path, host: str, port: int):
        self.folder = folder
        self.address_family = socket.AF_INET6 if ":" in host else socket.AF_INET
        super().__init__((host, port), _Handler)

    def server_bind(self) -> None:
        """Bind, and ask no name server what this machine is called."""
        TCPServer.server_bind(self)
        self.server_name, self.server_port = self.server_address[:2]


class _Handler(BaseHTTPRequestHandler):
    """Answers GET and HEAD for files of a known kind, and refuses everything else."""

    timeout = SECONDS
    server_version, sys_version = "shopanalysis", ""

    def do_GET(self) -> None:
        """Send a file, or say why not."""
        self._answer()

    def do_HEAD(self) -> None:
        """Say what GET would send."""
        self._answer()

    def _refuse(self) -> None:
        self.send_error(HTTPStatus.METHOD_NOT_ALLOWED, "These reports can only be read")

    do_POST = do_PUT = do_PATCH = do_DELETE = do_OPTIONS = do_TRACE = do_CONNECT = _refuse

    def end_headers(self) -> None:
        """Every answer, an error too, has the strict headers."""
        for name, value in HEADERS.items():
            self.send_header(name, value)
        super().end_headers()

    def log_message(self, *_) -> None:
        """Nobody's reading is written down."""

    def _answer(self) -> None:
        host = urlsplit(f"//{self.headers.get('Host', '')}").hostname
        if not is_loopback(host or ""):
            return self.send_error(HTTPStatus.MISDIRECTED_REQUEST, "Not this machine's own name")
        path = found(self.server.folder, self.path)
        if path is None:
            return self.send_error(HTTPStatus.NOT_FOUND, "There is no such report")
        if path.is_dir():
            return self._go_on_to(path)
        try:
            with path.open("rb") as file:
                self._send(file, path.suffix)
        except OSError:
            self.close_connection = True

    def _go_on_to(self, folder: Path) -> None:
        where = folder.relative_to(self.server.folder).as_posix()
        self.send_response(HTTPStatus.MOVED_PERMANENTLY)
        self.send_header("Location", f"/{quote(where)}/")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def _send(self, file, suffix: str) -> None:
        self.send_response(HTTPStatus.OK)
        self.send_header("Content-Type", TYPES[suffix])
        self.send_header("Content-Length", str(os.fstat(file.fileno()).st_size))
        self.end_headers()
        if self.command == "GET":
            copyfileobj(file, self.wfile)


def found(root: Path, target: str) -> Path | None:
    """The file in `root` that a request is for, or a folder asked for without its last slash.

    None for what is not there, hidden, unfinished, of another kind, or outside `root`.
    """
    try:
        path = unquote(target.partition("?")[0].partition("#")[0], errors="strict")
    except UnicodeDecodeError:
        return None
    *folders, name = path.split("/")[1:] if path.startswith("/") else ["", ""]
    if not all(folders) or any(_is_hidden(part) for part in (*folders, name)):
        return None
    asked = root.joinpath(*folders, name or "index.html").resolve()
    if not asked.is_relative_to(root) or any(map(_is_hidden, asked.relative_to(root).parts)):
        return None
    if asked.is_dir():
        return asked if (asked / "index.html").is_file() else None
    return asked if asked.is_file() and asked.suffix in TYPES else None


def _is_hidden(part: str) -> bool:
    return part.startswith(".") or bool(set(part) & set("\\:\0")) or part.endswith((".tmp", "~"))
