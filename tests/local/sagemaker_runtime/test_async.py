"""InvokeEndpointAsync with boto3: the queue, the limits, answers and failures in S3, notifications, metrics."""

import asyncio
import json
import threading
import time
from collections import defaultdict

import pytest
from aiohttp import web
from botocore.exceptions import ClientError, ParamValidationError

from local.sagemaker_runtime import Copy, Endpoints, Faults, Fleet, create_app
from local.sagemaker_runtime.async_queue import AsyncQueue, AsyncSettings
from tests.local.model_container.servers import KEY, SECRET, client_of

SETTINGS = AsyncSettings(
    output="s3://team/out",
    failure="s3://team/failed",
    topics={"success": "arn:success", "error": "arn:error"},
    concurrency=2,
)


class Memory:
    """S3 and SNS in this process."""

    def __init__(self):
        self.objects = {"s3://team/in/1.json": b'{"inputs":"hello"}'}
        self.types = {}
        self.published = []

    def read(self, uri):
        if uri not in self.objects:
            raise FileNotFoundError("NoSuchKey")
        return self.objects[uri]

    def write(self, uri, body, content_type):
        self.objects[uri], self.types[uri] = body, content_type

    def publish(self, topic, message):
        self.published.append((topic, json.loads(message)))


class Container:
    """A model server that keeps requests until it is told to answer."""

    def __init__(self):
        self.requests, self.most, self.running = [], 0, 0
        self.answer = lambda: web.json_response([{"generated_text": "hi"}])
        self.go = threading.Event()
        self.go.set()

    def app(self):
        app = web.Application(client_max_size=2**30)
        app.router.add_post("/invocations", self.respond)
        return app

    async def respond(self, request):
        self.requests.append((dict(request.headers), await request.read()))
        self.running += 1
        self.most = max(self.most, self.running)
        while not self.go.is_set():
            await asyncio.sleep(0.01)
        self.running -= 1
        answer = self.answer()
        if callable(answer):
            return await answer(request)
        return answer


class Service:
    """SageMaker Runtime with one asynchronous endpoint, `batch`, and one that is not, `chat`."""

    def __init__(self, servers, settings=SETTINGS, instances=1):
        self.container, self.memory, self.metrics = Container(), Memory(), defaultdict(list)
        self.time, self.log = 0.0, []
        self.copies = [Copy(servers.serve(self.container.app())) for _ in range(2)]
        self.fleet = Fleet(*self.copies[:instances])
        endpoints = Endpoints.of({"chat": "http://127.0.0.1:1"})
        self.queue = queue = AsyncQueue(
            "batch",
            "us-east-1",
            settings,
            self.fleet,
            self.memory,
            now=lambda: self.time + time.monotonic(),
            record=lambda name, value: self.metrics[name].append(value),
            log=self.log.append,
        )
        endpoints.add_queue("batch", queue)
        app = create_app(endpoints, Faults(), secrets={KEY: SECRET})

        async def run(_app):
            task = asyncio.create_task(queue.run())
            yield
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

        app.cleanup_ctx.append(run)
        self.client = client_of(servers.serve(app))

    def invoke(self, location="s3://team/in/1.json", **arguments):
        given = {"InputLocation": location} if location else {}
        return self.client.invoke_endpoint_async(EndpointName="batch", **given, **arguments)

    def until(self, condition, seconds=30):
        deadline = time.monotonic() + seconds
        while not (found := condition()):
            assert time.monotonic() < deadline
            time.sleep(0.01)
        return found

    def content(self, uri):
        return self.until(lambda: self.memory.objects.get(uri))

    def told(self, topic):
        """The notifications of results, without those that only try the topic."""
        return [
            message
            for name, message in list(self.memory.published)
            if name == topic and message["eventName"] == "InferenceResult"
        ]


def client_error(call, **arguments):
    with pytest.raises(ClientError) as caught:
        call(**arguments)
    error = caught.value.response
    return error["ResponseMetadata"]["HTTPStatusCode"], error["Error"]["Code"], error["Error"]["Message"]


def test_a_request_is_accepted_at_once_and_answered_in_s3(servers):
    service = Service(servers)
    answer = service.invoke(ContentType="application/json", InferenceId="one", CustomAttributes="trace=1")
    assert answer["ResponseMetadata"]["HTTPStatusCode"] == 202
    assert answer["InferenceId"] == "one"
    assert answer["OutputLocation"].startswith("s3://team/out/")
    assert answer["FailureLocation"].startswith("s3://team/failed/")
    assert json.loads(service.content(answer["OutputLocation"])) == [{"generated_text": "hi"}]
    assert service.memory.types[answer["OutputLocation"]] == "application/json; charset=utf-8"
    assert answer["FailureLocation"] not in service.memory.objects
    ((headers, body),) = service.container.requests
    assert body == b'{"inputs":"hello"}'
    assert headers["Content-Type"] == "application/json"
    assert headers["X-Amzn-SageMaker-Custom-Attributes"] == "trace=1"
    (told,) = service.until(lambda: service.told("arn:success"))
    assert (told["invocationStatus"], told["inferenceId"]) == ("Completed", "one")
    assert told["requestParameters"] == {"endpointName": "batch", "inputLocation": "s3://team/in/1.json"}
    assert told["responseParameters"]["outputLocation"] == answer["OutputLocation"]
    assert "responseBody" not in told
    assert service.metrics["InvocationsProcessed"] == [1]


def test_a_small_request_needs_no_object(servers):
    service = Service(servers)
    answer = service.invoke(location=None, Body=b'{"inputs":"inline"}')
    service.content(answer["OutputLocation"])
    assert service.container.requests[0][1] == b'{"inputs":"inline"}'
    assert len(answer["InferenceId"]) == 36


def test_the_caller_can_name_the_answer(servers):
    service = Service(servers)
    answer = service.invoke(S3OutputPathExtension="run-7", Filename="first.json")
    assert answer["OutputLocation"] == "s3://team/out/run-7/first.json"
    service.content("s3://team/out/run-7/first.json")


def test_an_instance_has_no_more_in_progress_than_it_is_allowed(servers):
    service = Service(servers)
    service.container.go.clear()
    answers = [service.invoke() for _ in range(5)]
    service.until(lambda: len(service.container.requests) == 2)
    time.sleep(0.1)
    assert len(service.container.requests) == 2
    service.container.go.set()
    for answer in answers:
        service.content(answer["OutputLocation"])
    assert service.container.most == 2


def test_without_an_instance_requests_wait_for_one(servers):
    service = Service(servers, instances=0)
    answer = service.invoke()
    service.time += 20
    service.until(lambda: 1 in service.metrics["HasBacklogWithoutCapacity"])
    assert service.metrics["ApproximateBacklogSize"][-1] == 1
    assert service.metrics["ApproximateBacklogSizePerInstance"][-1] == 1
    assert 20 <= service.metrics["ApproximateAgeOfOldestRequest"][-1] < 50
    assert answer["OutputLocation"] not in service.memory.objects
    service.fleet.copies.append(service.copies[0])
    service.content(answer["OutputLocation"])
    service.time += 20
    service.until(lambda: service.metrics["HasBacklogWithoutCapacity"][-1] == 0)
    assert service.metrics["ApproximateBacklogSize"][-1] == 0


def test_an_update_leaves_requests_in_the_queue_and_answers_where_they_were_promised(servers):
    service = Service(servers, instances=0)
    before = service.invoke()
    new = AsyncSettings(output="s3://team/new", concurrency=1)
    service.queue.move(new, Fleet(service.copies[1]))
    service.content(before["OutputLocation"])
    after = service.invoke()
    assert after["OutputLocation"].startswith("s3://team/new/")
    assert "FailureLocation" not in after
    service.content(after["OutputLocation"])


def test_the_backlog_counts_what_is_in_progress_and_is_divided_by_the_instances(servers):
    service = Service(servers, instances=2)
    service.container.go.clear()
    answers = [service.invoke() for _ in range(6)]
    service.until(lambda: len(service.container.requests) == 4)
    service.time += 20
    service.until(lambda: service.metrics["ApproximateBacklogSize"][-1] == 6)
    assert service.metrics["ApproximateBacklogSizePerInstance"][-1] == 3
    assert service.metrics["HasBacklogWithoutCapacity"][-1] == 0
    service.container.go.set()
    for answer in answers:
        service.content(answer["OutputLocation"])


@pytest.mark.parametrize(("status", "kind"), [(422, "client"), (500, "server")])
def test_what_the_container_refuses_is_a_failure_with_its_own_words(servers, status, kind):
    service = Service(servers)
    service.container.answer = lambda: web.json_response({"error": "too long"}, status=status)
    answer = service.invoke(InferenceId="bad")
    assert json.loads(service.content(answer["FailureLocation"])) == {"error": "too long"}
    assert answer["OutputLocation"] not in service.memory.objects
    (told,) = service.until(lambda: service.told("arn:error"))
    assert (told["invocationStatus"], told["inferenceId"]) == ("Failed", "bad")
    assert told["failureReason"].startswith(f"ClientError: Received {kind} error ({status}) from model.")
    assert service.metrics["InvocationFailures"] == [1]
    assert service.metrics["InvocationsProcessed"] == []
    assert service.told("arn:success") == []


async def stream(request):
    response = web.StreamResponse()
    await response.prepare(request)
    await response.write(b"data: {}\n\n")
    return response


def test_a_streamed_answer_is_a_failure_as_it_has_no_length(servers):
    service = Service(servers)
    service.container.answer = lambda: stream
    answer = service.invoke()
    assert b"did not specify the required Content-Length header" in service.content(answer["FailureLocation"])


def test_a_request_that_is_not_there_is_a_failure(servers):
    service = Service(servers)
    answer = service.invoke("s3://team/in/other.json")
    assert b"Cannot read s3://team/in/other.json: NoSuchKey" in service.content(answer["FailureLocation"])
    assert service.container.requests == []


def test_a_request_that_takes_longer_than_the_caller_allows_is_a_failure(servers):
    service = Service(servers)
    service.container.go.clear()
    answer = service.invoke(InvocationTimeoutSeconds=1)
    assert b"InvocationTimeoutSeconds" in service.content(answer["FailureLocation"])
    service.container.go.set()


def test_a_request_that_waits_longer_than_it_may_expires(servers):
    service = Service(servers, instances=0)
    answer = service.invoke(RequestTTLSeconds=60)
    service.time += 61
    assert b"RequestTTLSeconds" in service.content(answer["FailureLocation"])
    (told,) = service.until(lambda: service.told("arn:error"))
    assert told["invocationStatus"] == "Expired"
    assert (service.metrics["ExpiredRequests"], service.metrics["InvocationFailures"]) == ([1], [1])


def test_a_request_expires_behind_one_that_may_wait_longer(servers):
    service = Service(servers, instances=0)
    patient, impatient = service.invoke(), service.invoke(RequestTTLSeconds=60)
    service.time += 61
    service.content(impatient["FailureLocation"])
    assert patient["FailureLocation"] not in service.memory.objects
    service.fleet.copies.append(service.copies[0])
    service.content(patient["OutputLocation"])
    assert impatient["OutputLocation"] not in service.memory.objects


def test_notifications_contain_the_answer_where_that_is_asked_for(servers):
    included = AsyncSettings(
        output="s3://team/out", topics={"success": "arn:success"}, includes=frozenset({"success"}), concurrency=1
    )
    service = Service(servers, included)
    service.invoke()
    (told,) = service.until(lambda: service.told("arn:success"))
    assert told["responseBody"] == {"content": '[{"generated_text": "hi"}]', "encoding": "UTF-8"}
    service.container.answer = lambda: web.Response(body=b"x" * 131_073)
    service.invoke()
    _, told = service.until(lambda: len(found := service.told("arn:success")) == 2 and found)
    assert "responseBody" not in told


def test_without_a_failure_path_no_location_of_failures_is_told(servers):
    service = Service(servers, AsyncSettings(output="s3://team/out", concurrency=1))
    answer = service.invoke("s3://team/in/other.json")
    assert "FailureLocation" not in answer
    service.until(lambda: service.metrics["InvocationFailures"] == [1])


def test_each_topic_is_tried_once_when_the_endpoint_is_created(servers):
    both = AsyncSettings(output="s3://team/out", topics={"success": "arn:one", "error": "arn:one"}, concurrency=1)
    service = Service(servers, both)
    service.until(lambda: service.memory.published)
    test = {"eventVersion": "1.0", "eventSource": "aws:sagemaker", "eventName": "TestNotification"}
    assert service.memory.published == [("arn:one", test)]


def test_an_endpoint_takes_only_the_invocations_it_is_for(servers):
    client = Service(servers).client
    status, code, message = client_error(client.invoke_endpoint, EndpointName="batch", Body=b"{}")
    assert (status, code) == (400, "ValidationError")
    assert message == "Endpoint batch can only receive asynchronous invocations."
    found = client_error(client.invoke_endpoint_async, EndpointName="chat", InputLocation="s3://a/b")
    assert found == (400, "ValidationError", "Endpoint chat is not an asynchronous endpoint.")
    found = client_error(client.invoke_endpoint_async, EndpointName="other", InputLocation="s3://a/b")
    assert found == (400, "ValidationError", "Endpoint other of account 123456789012 not found.")


ONE = "Exactly one of Body and InputLocation must be provided."


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({}, ONE),
        ({"InputLocation": "s3://a/b", "Body": b"{}"}, ONE),
        ({"Body": b"x" * 128_001}, "Value at 'body' failed"),
        ({"InputLocation": "/tmp/request.json"}, "Value at 'inputLocation' failed"),
        ({"InputLocation": "s3://a/b", "Filename": "a.b.c"}, "Value at 'filename' failed"),
        ({"InputLocation": "s3://a/b", "S3OutputPathExtension": "s3://x"}, "Value at 's3OutputPathExtension' failed"),
        ({"InputLocation": "s3://a/b", "RequestTTLSeconds": 21_601}, "Value at 'requestTTLSeconds' failed"),
        ({"InputLocation": "s3://a/b", "InvocationTimeoutSeconds": 3601}, "Value at 'invocationTimeoutSeconds' failed"),
    ],
)
def test_what_botocore_s_model_forbids_is_refused(servers, arguments, words):
    client = Service(servers).client
    status, code, message = client_error(client.invoke_endpoint_async, EndpointName="batch", **arguments)
    assert (status, code) == (400, "ValidationError")
    assert words in message


def test_botocore_itself_refuses_too_short_times(servers):
    with pytest.raises(ParamValidationError):
        Service(servers).invoke(RequestTTLSeconds=59)


def test_an_unsigned_call_is_refused(servers):
    service = Service(servers)
    service.client._request_signer._credentials.secret_key = "wrong"
    status, code, _ = client_error(service.client.invoke_endpoint_async, EndpointName="batch", InputLocation="s3://a/b")
    assert (status, code) == (403, "InvalidSignatureException")
