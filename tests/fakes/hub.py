"""A stand-in for the Hugging Face hub's HTTP interface, serving folders from this machine."""

import hashlib
import json
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs

COMMIT = "0123456789abcdef0123456789abcdef01234567"


def _entry(name: str, path: Path):
    if path.is_dir():
        return {"type": "directory", "path": name, "oid": hashlib.sha1(name.encode()).hexdigest()}
    content = path.read_bytes()
    oid = hashlib.sha1(content).hexdigest()
    return {"type": "file", "path": name, "size": len(content), "oid": oid}


def _handler(repositories: dict[str, Path]):
    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *_):
            pass

        def do_HEAD(self):
            self._answer(body=False)

        def do_GET(self):
            self._answer(body=True)

        def do_POST(self):
            form = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
            self.asked = (
                json.loads(form)["paths"] if form.startswith("{") else parse_qs(form)["paths"]
            )
            self._answer(body=True)

        def _answer(self, body):
            path = self.path.split("?")[0].strip("/")
            for name, folder in repositories.items():
                if path.startswith(f"{name}/resolve/"):
                    return self._file(folder / path.split("/", name.count("/") + 3)[-1], body)
                if path.startswith((f"api/{name}", f"api/models/{name}")):
                    return self._listing(name, folder, path)
            return self._send(
                404, b'{"error":"Repository not found"}', {"X-Error-Code": "RepoNotFound"}
            )

        def _file(self, file, body):
            if not file.is_file():
                return self._send(
                    404, b"{}", {"X-Error-Code": "EntryNotFound", "X-Repo-Commit": COMMIT}
                )
            content = file.read_bytes()
            headers = {"ETag": f'"{hashlib.sha1(content).hexdigest()}"', "X-Repo-Commit": COMMIT}
            return self._send(200, content, headers, body)

        def _listing(self, name, folder, path):
            files = sorted(folder.rglob("*"))
            inside = {p.relative_to(folder).as_posix(): p for p in files}
            if "/paths-info/" in path:
                answer = [_entry(n, p) for n, p in inside.items() if n in self.asked]
            elif "/tree/" in path:
                below = path.split("/tree/")[1].partition("/")[2]
                start = f"{below}/" if below else ""
                is_deep = "recursive=true" in self.path.lower()
                answer = [
                    _entry(n, p)
                    for n, p in inside.items()
                    if n.startswith(start) and (is_deep or "/" not in n.removeprefix(start))
                ]
            else:
                answer = {
                    "id": name.removeprefix("datasets/"),
                    "sha": COMMIT,
                    "private": False,
                    "disabled": False,
                    "gated": False,
                    "downloads": 0,
                    "likes": 0,
                    "tags": [],
                    "siblings": [{"rfilename": n} for n, p in inside.items() if p.is_file()],
                }
            return self._send(
                200, json.dumps(answer).encode(), {"Content-Type": "application/json"}
            )

        def _send(self, status, content, headers=None, body=True):
            self.send_response(status)
            for key, value in (headers or {}).items():
                self.send_header(key, value)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            if body and self.command != "HEAD":
                self.wfile.write(content)

    return Handler


@contextmanager
def serving(repositories: dict[str, Path]):
    """Serve repositories ("owner/name", "datasets/owner/name"); yields the endpoint."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(repositories))
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
