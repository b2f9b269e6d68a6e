"""Stand-ins for where models come from: a hub on this machine, and wheels that carry parts of a file."""

import hashlib
import json
import zipfile
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from pathlib import Path

COMMIT = "c" * 40


@dataclass
class Hub:
    """What the stand-in serves, how it misbehaves, and what it was asked."""

    endpoint: str = ""
    files: dict[str, bytes] = field(default_factory=dict)
    """By `owner/name/path`."""
    asked: list[tuple[str, str, str | None]] = field(default_factory=list)
    """Method, path and range of every request."""
    sent: int = 0
    """Bytes of files that went out."""
    refusal: tuple[int, dict[str, str]] | None = None
    commit: str | None = COMMIT
    etag: str | None = None
    size: int | None = None
    break_after: int | None = None
    """Bytes after which the next answer breaks off."""
    storage: str = ""
    """The address that large files are redirected to, as the real hub does; empty: it sends them itself."""

    def respond(self, request: BaseHTTPRequestHandler) -> None:
        self.asked.append((request.command, request.path, request.headers["Range"]))
        if self.refusal:
            self._head(request, self.refusal[0], {"Content-Length": "0", **self.refusal[1]})
        elif request.path.startswith("/api/models/"):
            self._list(request)
        else:
            self._file(request)

    def _list(self, request: BaseHTTPRequestHandler) -> None:
        repo = "/".join(request.path.split("/")[3:5])
        found = [{"type": "file", "path": name.removeprefix(f"{repo}/"), "size": 1, "oid": "0" * 40}
                 for name in self.files if name.startswith(f"{repo}/")]  # fmt: skip
        body = json.dumps(found).encode()
        self._head(request, 200, {"Content-Length": str(len(body)), "Content-Type": "application/json"})
        request.wfile.write(body)

    def _file(self, request: BaseHTTPRequestHandler) -> None:
        repo, _, place = request.path.removeprefix("/storage").lstrip("/").partition("/resolve/")
        content = self.files.get(f"{repo}/{place.partition('/')[2]}")
        if content is None:
            self._head(request, 404, {"Content-Length": "0", "X-Error-Code": "EntryNotFound"})
        elif self.storage and not request.path.startswith("/storage/"):
            self._redirect(request, content)
        else:
            self._content(request, content)

    def _redirect(self, request: BaseHTTPRequestHandler, content: bytes) -> None:
        headers = {
            "Content-Length": "0",
            "Location": f"{self.storage}/storage{request.path}",
            "ETag": f'"{"e" * 64}"',  # of the storage's own making
            "X-Linked-ETag": f'"{hashlib.sha256(content).hexdigest()}"',
            "X-Linked-Size": str(len(content)),
            "X-Repo-Commit": COMMIT,
        }
        self._head(request, 302, headers)

    def _content(self, request: BaseHTTPRequestHandler, content: bytes) -> None:
        start = int((request.headers["Range"] or "bytes=0-")[6:-1])
        headers = {
            "Content-Length": str(len(content) - start),
            "ETag": f'"{self.etag or hashlib.sha256(content).hexdigest()}"',
            "X-Linked-Size": str(self.size or len(content)),
        }
        if self.commit:
            headers["X-Repo-Commit"] = self.commit
        if start:
            headers["Content-Range"] = f"bytes {start}-{len(content) - 1}/{len(content)}"
        self._head(request, 206 if start else 200, headers)
        if request.command == "GET":
            self._send(request, content[start:])

    def _send(self, request: BaseHTTPRequestHandler, content: bytes) -> None:
        whole, self.break_after = len(content), self.break_after
        if self.break_after is not None:
            content, self.break_after = content[: self.break_after], None
        self.sent += len(content)
        request.wfile.write(content)
        request.close_connection = len(content) < whole

    @staticmethod
    def _head(request: BaseHTTPRequestHandler, status: int, headers: dict[str, str]) -> None:
        request.send_response(status)
        for name, value in headers.items():
            request.send_header(name, value)
        request.end_headers()


def make_wheel(folder: Path, name: str, content: bytes, member: str = "data/part.bin") -> Path:
    """A wheel that carries `content`."""
    module = name.replace("-", "_")
    wheel = folder / f"{module}-1.0-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr(f"{module}/__init__.py", "")
        archive.writestr(f"{module}/{member}", content)
        archive.writestr(f"{module}-1.0.dist-info/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
        archive.writestr(
            f"{module}-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        archive.writestr(f"{module}-1.0.dist-info/RECORD", "")
    return wheel
