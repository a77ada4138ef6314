"""The probe of error trailers: the function that it deploys breaks off, and is put back whatever happens."""

from __future__ import annotations

import io
import zipfile
from typing import Any

import pytest

from acceptance.broken_function import ERROR, FIRST, SECOND, broken, broken_code
from acceptance.probe import Result
from acceptance.probes.gateway import judge_trailers
from acceptance.site import StillWaitingError
from local.lambda_service import Function
from tests.lambda_.lambda_runtime.runtime_function import proxy_event, run

HEAD = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
PARTS = b"f\r\n" + FIRST + b"\r\n10\r\n" + SECOND + b"\r\n"


def test_the_function_sends_two_parts_and_then_error_trailers_by_the_deployed_client() -> None:
    async def scenario(deployed: Function) -> None:
        streamed = await deployed.invoke_stream(proxy_event())
        await streamed.prelude()
        assert b"".join([data async for data in streamed.body]) == FIRST + SECOND
        assert streamed.error is not None
        assert streamed.error["errorType"] == ERROR

    with zipfile.ZipFile(io.BytesIO(broken_code())) as archive:
        assert archive.getinfo("front_door/bootstrap").external_attr >> 16 == 0o755
        files = {name: archive.read(name).decode() for name in archive.namelist()}
    assert run(files, scenario).violations == []


class Lambda:
    def __init__(self) -> None:
        self.codes: list[dict[str, Any]] = []

    def update_function_code(self, **given: Any) -> None:
        self.codes.append(given)

    def get_function_configuration(self, **_: str) -> dict[str, str]:
        return {"LastUpdateStatus": "Successful"}


class Site:
    """A site whose cloud is this one."""

    account, region, patience = "111122223333", "eu-west-1", 0.0

    def __init__(self) -> None:
        self.cloud = self
        self.service = Lambda()

    def client(self, _name: str) -> Lambda:
        return self.service

    def function(self, _beginning: str) -> tuple[str, str]:
        return "FrontDoorFunction1", "the-function"

    def template(self) -> dict[str, Any]:
        bucket = {"Fn::Sub": "cdk-hnb659fds-assets-${AWS::AccountId}-${AWS::Region}"}
        code = {"S3Bucket": bucket, "S3Key": "the.zip"}
        return {"Resources": {"FrontDoorFunction1": {"Properties": {"Code": code}}}}

    def wait(self, look: Any, _seconds: float, _what: str) -> Any:
        return look()


def test_the_code_of_the_deployment_is_put_back_also_after_a_failure() -> None:
    site = Site()
    with pytest.raises(ZeroDivisionError), broken(site):  # type: ignore[arg-type]
        raise ZeroDivisionError
    first, second = site.service.codes
    assert first == {"FunctionName": "the-function", "ZipFile": broken_code()}
    assert second == {
        "FunctionName": "the-function",
        "S3Bucket": "cdk-hnb659fds-assets-111122223333-eu-west-1",
        "S3Key": "the.zip",
    }


def test_the_code_of_the_deployment_is_put_back_if_the_broken_one_is_not_there_in_time() -> None:
    site = Site()
    waits = iter([False, True])

    def wait(_look: Any, _seconds: float, what: str) -> None:
        if not next(waits):
            raise StillWaitingError(what)

    site.wait = wait  # type: ignore[method-assign]
    with pytest.raises(StillWaitingError), broken(site):  # type: ignore[arg-type]
        pytest.fail("it is not there")
    assert [sorted(code) for code in site.service.codes] == [
        ["FunctionName", "ZipFile"],
        ["FunctionName", "S3Bucket", "S3Key"],
    ]


@pytest.mark.parametrize(
    ("received", "result", "words"),
    [
        (
            HEAD + PARTS + b"0\r\n\r\n",
            Result.PROVEN,
            "ended by a last chunk with 0 bytes of trailers; the response does not tell",
        ),
        (
            HEAD + PARTS + b"0\r\nLambda-Runtime-Function-Error-Type: Function.RuntimeError\r\n\r\n",
            Result.PROVEN,
            "bytes of trailers; the response tells the client why",
        ),
        (HEAD + PARTS[:-2], Result.PROVEN, "cut without a last chunk, so that a client knows"),
        (
            HEAD + b"f\r\n" + FIRST + b"\r\n0\r\n\r\n",
            Result.CONTRADICTED,
            "both parts before the failure arrived: False",
        ),
        (b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 2\r\n\r\n{}", Result.CONTRADICTED, "502 Bad Gateway"),
        (b"", Result.CONTRADICTED, "not chunked"),
    ],
)
def test_what_the_client_gets_is_told_apart(received: bytes, result: Result, words: str) -> None:
    verdict = judge_trailers(received)
    assert verdict.result is result
    assert words in verdict.evidence
