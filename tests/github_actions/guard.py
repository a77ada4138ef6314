"""Stands before the emulated AWS, lets roles be assumed as a policy says, and notes what is called without them."""

from __future__ import annotations

import http.client
import re
from email.message import Message
from typing import Self
from urllib.parse import parse_qs, urlsplit

from tests.github_actions.loopback_server import LoopbackServer, QuietHandler

_DENIED = b"""<ErrorResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><Error><Type>Sender</Type>
<Code>AccessDenied</Code><Message>User is not authorized to perform: sts:AssumeRole</Message></Error></ErrorResponse>"""


class Guard(LoopbackServer):
    """A proxy.

    Args:
        target: The URL of the emulated AWS.
        access_key: The key of the credentials that the job has.
        roles: The bootstrap roles that they may assume, such as `deploy`.

    Attributes:
        calls: What was called with these credentials, as `sts:AssumeRole`.
        refused: The roles that were refused.
    """

    def __init__(self, target: str, access_key: str, *, roles: tuple[str, ...]) -> None:
        self._target = urlsplit(target).netloc
        self._access_key = access_key
        self._roles = roles
        self.calls: set[str] = set()
        self.refused: set[str] = set()

    def __enter__(self) -> Self:
        guard = self

        class Handler(QuietHandler):
            def _answer(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                if guard.refuses(self.headers, body):
                    self._send(403, {"Content-Type": "text/xml"}, _DENIED)
                    return
                connection = http.client.HTTPConnection(guard._target, timeout=300)
                connection.request(self.command, self.path, body, dict(self.headers))
                response = connection.getresponse()
                content = response.read()
                kept = {name: value for name, value in response.getheaders() if name.lower() not in _OF_CONNECTION}
                self._send(response.status, kept, content)
                connection.close()

            def _send(self, status: int, headers: dict[str, str], content: bytes) -> None:
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                if self.command != "HEAD":
                    self.wfile.write(content)

            do_GET = do_POST = do_PUT = do_HEAD = do_DELETE = _answer  # noqa: N815

        self.serve(Handler)
        return self

    @property
    def url(self) -> str:
        """What to set as AWS_ENDPOINT_URL."""
        return f"http://localhost:{self.port}"

    def refuses(self, headers: Message, body: bytes) -> bool:
        """Notes a call, and says whether it is for a role that may not be assumed."""
        signed = re.search(r"Credential=([^/]+)/\d+/[^/]+/([^/]+)/", headers.get("Authorization", ""))
        if signed is None or signed[1] != self._access_key:
            return False
        form = parse_qs(body.decode(errors="replace"))
        target = headers.get("X-Amz-Target", "").rpartition(".")[2]
        action = form.get("Action", [target or "?"])[0]
        self.calls.add(f"{signed[2]}:{action}")
        role = form.get("RoleArn", [""])[0]
        if action != "AssumeRole" or re.search(rf":role/cdk-hnb659fds-({'|'.join(self._roles) or 'none'})-role-", role):
            return False
        self.refused.add(re.sub(r".*/cdk-hnb659fds-(.*)-role-.*", r"\1", role))
        return True


_OF_CONNECTION = ("connection", "content-length", "transfer-encoding", "server", "date")
