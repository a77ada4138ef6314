"""Write docs/playground.png: the playground of `make serve` in Chromium (`python -m scripts.playground_picture`).

The toy model repeats words and writes no Markdown, so a container of this script answers the picture's prompt, with a
fixed text that says so. Everything else is what `make serve` deploys. Requires Chromium and its driver.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from base64 import b64decode
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from selenium.webdriver import Chrome

TARGET = Path(__file__).parent.parent / "docs" / "playground.png"
MAX_BYTES = 150_000
WIDTH, HEIGHT, SCALE = 1080, 640, 1.25
PROMPT = "How do I call you from Python?"
RESPONSE = """\
**No language model runs here**: this text is fixed. OpenAI's client takes the URL with `/v1`:

```python
from openai import OpenAI

client = OpenAI(base_url=URL + "/v1", api_key=KEY)
messages = [{"role": "user", "content": "What is deep learning?"}]
stream = client.chat.completions.create(model="llama", messages=messages, stream=True)
for chunk in stream:
    print(chunk.choices[0].delta.content or "", end="", flush=True)
```

1. `stream=True` gives each token *when the model has it*.
2. Without `max_tokens`, the front door sets a limit.
"""
TOKEN_SECONDS = 0.02


class Container(BaseHTTPRequestHandler):
    """A model server that streams the fixed response to every chat, as TGI does."""

    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        """Answers a chat with the response, one event for each token: a word."""
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        tokens = re.findall(r"\s*[^\s]+|\s+$", RESPONSE)
        prompt_tokens = len(json.dumps(body["messages"]).split())
        usage = {"prompt_tokens": prompt_tokens, "completion_tokens": len(tokens)}
        usage["total_tokens"] = sum(usage.values())
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Connection", "close")
        self.end_headers()
        for number, token in enumerate(tokens, 1):
            finish_reason = "stop" if number == len(tokens) else None
            self._send([{"index": 0, "delta": {"role": "assistant", "content": token}, "finish_reason": finish_reason}])
            time.sleep(TOKEN_SECONDS)
        self._send([], usage=usage)
        self.wfile.write(b"data: [DONE]\n\n")
        self.close_connection = True

    def _send(self, choices: list[dict[str, Any]], **more: Any) -> None:
        chunk = {
            "object": "chat.completion.chunk",
            "id": "",
            "created": 0,
            "model": "fixed",
            "choices": choices,
            **more,
        }
        self.wfile.write(f"data: {json.dumps(chunk)}\n\n".encode())

    def log_message(self, *_: object) -> None:
        """Logs nothing."""


@contextmanager
def serve_container() -> Iterator[str]:
    """Serve the container; the context is its URL."""
    with ThreadingHTTPServer(("127.0.0.1", 0), Container) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


@contextmanager
def serve_front_door(container_url: str) -> Iterator[dict[str, Any]]:
    """Deploy a stack into the emulated cloud and serve it; the context is what `make serve` prints."""
    command = [sys.executable, "-m", "local", "serve", "--port", "0", "--container-url", container_url]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None  # noqa: S101 - it is a pipe
        try:
            line = process.stdout.readline()
            if not line:
                sys.exit("The front door could not be served; see above.")
            yield json.loads(line)
        finally:
            process.terminate()


@contextmanager
def start_chromium() -> Iterator[Chrome]:
    """Start the system's Chromium without a window."""
    browser, driver = shutil.which("chromium"), shutil.which("chromedriver")
    if browser is None or driver is None:
        sys.exit("This requires Chromium: apt-get install chromium chromium-driver")
    from selenium.webdriver import Chrome, ChromeOptions
    from selenium.webdriver.chrome.service import Service

    options = ChromeOptions()
    options.binary_location = browser
    arguments = ["--headless", "--disable-gpu", "--disable-dev-shm-usage", "--hide-scrollbars"]
    if os.geteuid() == 0:
        arguments.append("--no-sandbox")  # Chromium refuses to run as root in a sandbox.
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        for argument in (*arguments, f"--user-data-dir={profile}"):
            options.add_argument(argument)
        chrome = Chrome(options=options, service=Service(driver))
        try:
            yield chrome
        finally:
            chrome.quit()


def take_picture(chrome: Chrome, url: str, api_key: str) -> bytes:
    """The page as PNG, after one question and its response."""
    from selenium.webdriver.common.keys import Keys
    from selenium.webdriver.support.ui import WebDriverWait

    wait = WebDriverWait(chrome, 60, poll_frequency=0.1)
    metrics = {"width": WIDTH, "height": HEIGHT, "deviceScaleFactor": SCALE, "mobile": False}
    chrome.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
    chrome.get(f"{url}/")
    wait.until(lambda _: chrome.find_element("id", "access").is_displayed())
    chrome.find_element("id", "key").send_keys(api_key + Keys.ENTER)
    wait.until(lambda _: not chrome.find_element("id", "access").is_displayed())
    chrome.find_element("id", "message").send_keys(PROMPT + Keys.ENTER)
    wait.until(lambda _: chrome.find_elements("css selector", ".foot .copy"))
    chrome.execute_script("document.activeElement.blur()")
    picture: str = chrome.execute_cdp_cmd("Page.captureScreenshot", {"format": "png"})["data"]
    return b64decode(picture)


def main() -> None:
    """Take the picture and write it."""
    with (
        start_chromium() as chrome,
        serve_container() as container_url,
        serve_front_door(container_url) as front_door,
    ):
        picture = take_picture(chrome, front_door["url"], front_door["api_key"])
    if len(picture) > MAX_BYTES:
        sys.exit(f"The picture has {len(picture):,} bytes, more than the {MAX_BYTES:,} that README should load.")
    TARGET.write_bytes(picture)


if __name__ == "__main__":
    main()
