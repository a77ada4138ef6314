"""Responses of a function that was started through its wrapper; one test per pitfall of streaming."""

from __future__ import annotations

import json
import re
import time

import pytest

from local.lambda_service import Function, FunctionError
from tests.lambda_.lambda_runtime.runtime_function import (
    answer,
    fake_function,
    function_files,
    invoke_fake,
    proxy_event,
    run,
)

STREAM_TYPE = "application/vnd.awslambda.http-integration-response"


def test_a_body_that_fails_before_its_first_chunk_fails_the_invocation_and_nothing_is_streamed() -> None:
    async def scenario(deployed: Function) -> None:
        with pytest.raises(FunctionError, match=r"Function\.ValueError: The function failed\."):
            await deployed.invoke_stream(proxy_event())
        assert await answer(deployed, {"path": "/good"}) == ({"statusCode": 200, "headers": {}}, b"good")

    app = """
        def broken():
            raise ValueError("the prompt")
            yield b""

        def handle(event, context):
            return Response(200, {}, [b"good"] if event["path"] == "/good" else broken())
    """
    ran = run(fake_function(app), scenario)
    assert ran.violations == []
    assert [line["errorType"] for line in ran.logged()] == ["Function.ValueError"]
    assert "the prompt" not in str(ran.log)


def test_an_application_that_raises_fails_the_invocation_without_its_message() -> None:
    async def scenario(deployed: Function) -> None:
        with pytest.raises(FunctionError) as caught:
            await deployed.invoke_stream(proxy_event())
        result = json.loads(caught.value.payload)
        assert result["errorType"] == "Function.KeyError"
        assert result["errorMessage"] == "The function failed."
        assert re.search(r"/front_door/app\.py:\d+ handle$", result["stackTrace"][-1])

    app = """
        def handle(event, context):
            raise KeyError("the prompt")
    """
    ran = run(fake_function(app), scenario)
    assert ran.violations == []
    assert "the prompt" not in str(ran.log)


def test_the_prelude_waits_for_the_first_chunk() -> None:
    async def scenario(deployed: Function) -> None:
        started = time.monotonic()
        streamed = await deployed.invoke_stream(proxy_event())
        assert time.monotonic() - started > 0.3
        assert streamed.content_type == STREAM_TYPE
        assert await streamed.prelude() == {"statusCode": 201, "headers": {"x": "ü"}}
        assert [data async for data in streamed.body] == [b"late"]

    app = """
        import time

        def late():
            time.sleep(0.3)
            yield b"late"

        def handle(event, context):
            return Response(201, {"x": "\\u00fc"}, late())
    """
    assert run(fake_function(app), scenario).violations == []


@pytest.mark.parametrize("body", ["[]", "[b'']", "iter(())"])
def test_an_empty_body_is_never_sent(body: str) -> None:
    prelude, payload, _ = invoke_fake(f"""
        def handle(event, context):
            return Response(204, {{}}, {body})
    """)
    assert (prelude["statusCode"], payload) == (204, b"\n")


def test_an_empty_chunk_does_not_end_the_stream() -> None:
    _, payload, _ = invoke_fake("""
        def handle(event, context):
            return Response(200, {}, [b"", b"one ", b"", b"two", b""])
    """)
    assert payload == b"one two"


def test_a_json_response_has_a_prelude_when_streamed_and_none_when_buffered() -> None:
    async def streamed(deployed: Function) -> None:
        prelude, payload = await answer(deployed)
        assert prelude["statusCode"] == 200
        assert prelude["headers"]["Content-Type"] == "application/json"
        assert json.loads(payload)["data"][0]["id"] == "llama"

    async def buffered(deployed: Function) -> None:
        result = json.loads(await deployed.invoke(proxy_event()))
        assert result.keys() == {"statusCode", "headers", "body", "isBase64Encoded"}
        assert json.loads(result["body"])["data"][0]["id"] == "llama"

    assert run(function_files("front_door"), streamed).violations == []
    assert run(function_files("front_door"), buffered, environment={}).violations == []


def test_a_failure_in_the_middle_is_reported_in_trailers_and_the_stream_ends_normally() -> None:
    async def scenario(deployed: Function) -> None:
        streamed = await deployed.invoke_stream(proxy_event())
        await streamed.prelude()
        assert b"".join([data async for data in streamed.body]) == b"data: one\n\n"
        assert streamed.error is not None
        assert streamed.error["errorType"] == "Function.ZeroDivisionError"
        assert streamed.error["errorMessage"] == "The function failed."
        assert await answer(deployed, {"path": "/good"}) == ({"statusCode": 200, "headers": {}}, b"good")

    app = """
        def broken():
            yield b"data: one\\n\\n"
            1 / 0

        def handle(event, context):
            return Response(200, {}, [b"good"] if event["path"] == "/good" else broken())
    """
    ran = run(fake_function(app), scenario)
    assert ran.violations == []
    assert [line["errorType"] for line in ran.logged()] == ["Function.ZeroDivisionError"]


def test_a_connection_error_in_the_body_is_not_taken_for_one_of_the_runtime_api() -> None:
    async def scenario(deployed: Function) -> None:
        streamed = await deployed.invoke_stream(proxy_event())
        await streamed.prelude()
        assert [data async for data in streamed.body] == [b"one"]
        assert streamed.error is not None
        assert streamed.error["errorType"] == "Function.ConnectionResetError"
        _, pid = await answer(deployed, {"path": "/pid"})
        assert await answer(deployed, {"path": "/pid"}) == ({"statusCode": 200, "headers": {}}, pid)

    app = """
        import os

        def broken():
            yield b"one"
            raise ConnectionResetError

        def handle(event, context):
            return Response(200, {}, [str(os.getpid()).encode()] if event["path"] == "/pid" else broken())
    """
    assert run(fake_function(app), scenario).violations == []


def test_the_body_is_closed_however_it_ends() -> None:
    async def scenario(deployed: Function) -> None:
        for path in ("whole", "broken", "never"):
            try:
                await answer(deployed, {"path": path})
            except FunctionError:
                assert path == "never"
        assert (await answer(deployed, {"path": "closed"}))[1] == b"whole broken never"

    app = """
        closed = []

        class Body:
            def __init__(self, path):
                self.path, self.chunks = path, iter([b"one", b"two"])

            def __iter__(self):
                return self

            def __next__(self):
                if self.path == "never":
                    raise ValueError
                chunk = next(self.chunks)
                if chunk == b"two" and self.path == "broken":
                    raise ValueError
                return chunk

            def close(self):
                closed.append(self.path)

        def handle(event, context):
            if event["path"] == "closed":
                return Response(200, {}, [" ".join(closed).encode()])
            return Response(200, {}, Body(event["path"]))
    """
    assert run(fake_function(app), scenario).violations == []


def test_a_body_that_cannot_be_closed_is_logged_and_the_sandbox_continues() -> None:
    async def scenario(deployed: Function) -> None:
        assert (await answer(deployed))[1] == b"one"
        assert (await answer(deployed))[1] == b"one"
        await answer(deployed, {"path": "/good"})

    app = """
        class Body(list):
            def close(self):
                raise OSError("no")

        def handle(event, context):
            return Response(200, {}, [b"good"] if event["path"] == "/good" else Body([b"one"]))
    """
    ran = run(fake_function(app), scenario)
    assert ran.violations == []
    assert [line["errorType"] for line in ran.logged()] == ["Function.OSError"] * 2
