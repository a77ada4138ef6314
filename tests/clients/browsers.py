"""Client libraries in a browser: serves a page with them, opens it, and waits for what the page reports."""

from __future__ import annotations

import json
import queue
import shutil
import subprocess
import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.clients.scripts import INSTALLED

if TYPE_CHECKING:
    from tests.e2e.deployed_cloud import Cloud

FOLDER = Path(__file__).with_name("browser")
PACKAGES = INSTALLED / "browser"
REPORT_SECONDS = 60

CHROMIUM = ("--headless", "--no-first-run", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage")
BROWSERS = {
    "chromium": lambda profile, url: ("chromium", *CHROMIUM, f"--user-data-dir={profile}", url),
    "firefox": lambda profile, url: (_firefox(), "--headless", "--no-remote", "--profile", str(profile), url),
}


class Page(ThreadingHTTPServer):
    """The server of the page, whose origin is `origin`."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), partial(_Handler, directory=str(FOLDER)))
        self.origin = f"http://127.0.0.1:{self.server_port}"
        self.settings: dict[str, str] = {}
        self.reports: queue.Queue[dict[str, str]] = queue.Queue()

    def __enter__(self) -> Page:
        threading.Thread(target=self.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.shutdown()
        self.server_close()

    def run(self, browser: str, script: str, cloud: Cloud, profile: Path) -> dict[str, str]:
        """Open the page in a browser; returns what each check threw, empty if nothing.

        Args:
            browser: A key of `BROWSERS`; the test is skipped if the system does not have it.
            script: The file with the checks.
            cloud: The front door that they call.
            profile: An empty folder for the browser.
        """
        command = BROWSERS[browser](profile, f"{self.origin}/page.html")
        if shutil.which(command[0]) is None:
            pytest.skip(f"no {browser} on this machine (Debian: apt-get install chromium firefox-esr)")
        self.settings = {"url": cloud.url, "key": cloud.api_key, "script": script}
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            return self.reports.get(timeout=REPORT_SECONDS)
        finally:
            process.terminate()
            process.wait(timeout=30)


class _Handler(SimpleHTTPRequestHandler):
    """Files of the folder and of the installed packages; the settings of the page and its report."""

    server: Page
    extensions_map = SimpleHTTPRequestHandler.extensions_map | {".mjs": "text/javascript"}

    def do_GET(self) -> None:
        if self.path == "/settings":
            self._respond(json.dumps(self.server.settings).encode())
        else:
            super().do_GET()

    def do_POST(self) -> None:
        report = self.rfile.read(int(self.headers["Content-Length"]))
        self._respond(b"{}")
        self.server.reports.put(json.loads(report))

    def translate_path(self, path: str) -> str:
        """The file of a path; the packages are installed elsewhere."""
        translated = super().translate_path(path)
        return translated.replace(str(FOLDER / "node_modules"), str(PACKAGES / "node_modules"), 1)

    def log_message(self, *_: Any) -> None:
        """Nothing is logged."""

    def _respond(self, body: bytes) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def _firefox() -> str:
    return "firefox" if shutil.which("firefox") else "firefox-esr"
