"""The front door's function with an application that breaks off in the middle of a stream, for the probe of trailers.

Its runtime client is the deployed one: it ends such a stream with error trailers, which no request to the real
application provokes, as that reports failures in the stream itself.
"""

from __future__ import annotations

import io
import time
import zipfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

    from acceptance.site import Site

FIRST, SECOND = b"the first part\n", b"the second part\n"
ERROR = "Function.RuntimeError"
"""What the runtime client calls the error; the message is not passed on."""
_FOLDER = Path(__file__).resolve().parents[1] / "lambda" / "front_door"
_APP = f"""import time

from front_door.http.response import Response


class App:
    def __init__(self, _config):
        pass

    def handle(self, _event, _invocation):
        return Response(200, {{"Content-Type": "text/plain"}}, _body())


def _body():
    yield {FIRST!r}
    time.sleep(1)
    yield {SECOND!r}
    time.sleep(1)
    raise RuntimeError
"""
_SETTLE_SECONDS = 120


def broken_code() -> bytes:
    """The archive of the function with that application."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted(_FOLDER.rglob("*")):
            if path.is_file() and path.suffix != ".pyc":
                name = path.relative_to(_FOLDER.parent).as_posix()
                entry = zipfile.ZipInfo(name)
                entry.external_attr = (0o644 if path.suffix == ".py" else 0o755) << 16
                archive.writestr(entry, _APP if name == "front_door/app.py" else path.read_bytes())
    return buffer.getvalue()


@contextmanager
def broken(site: Site) -> Iterator[None]:
    """The deployed function has that application while the block runs, and its own again afterwards."""
    name, code = _deployed(site)
    try:
        _replace(site, name, ZipFile=broken_code())
        yield
    finally:
        _replace(site, name, **code)


def _deployed(site: Site) -> tuple[str, dict[str, str]]:
    """The name of the front door's function, and where CloudFormation has its code from."""
    logical_id, name = site.function("FrontDoorFunction")
    code = site.template()["Resources"][logical_id]["Properties"]["Code"]
    bucket: Any = code["S3Bucket"]
    if not isinstance(bucket, str):  # the default bootstrap's, for any account and Region
        text = bucket["Fn::Sub"]
        bucket = text.replace("${AWS::AccountId}", site.cloud.account).replace("${AWS::Region}", site.cloud.region)
    return name, {"S3Bucket": bucket, "S3Key": code["S3Key"]}


def _replace(site: Site, name: str, **code: Any) -> None:
    client = site.cloud.client("lambda")
    client.update_function_code(FunctionName=name, **code)

    def is_updated() -> bool:
        return bool(client.get_function_configuration(FunctionName=name)["LastUpdateStatus"] == "Successful")

    site.wait(is_updated, _SETTLE_SECONDS, "the new code of the function")
    time.sleep(5 * site.cloud.patience)  # requests in between may still meet the former code
