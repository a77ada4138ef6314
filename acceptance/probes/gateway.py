"""Probes of API Gateway: streaming, routes, bodies, gateway responses, and the access log."""

from __future__ import annotations

import gzip
import json
import time
import zlib
from typing import TYPE_CHECKING
from urllib.parse import quote

from acceptance.broken_function import ERROR, FIRST, SECOND, broken
from acceptance.probe import Verdict, absent, contradicted, decide, probe, undecided
from stacks.acceptance_settings import MODEL_NAME

if TYPE_CHECKING:
    from acceptance.site import Site

_PATH = "/v1/chat/completions"
_MANY = 200
_ESCAPED = '"quoted" and \\escaped'


@probe("G1", "G11", "L1", "L3", title="A response is streamed through the imported document", minutes=0.3)
def streaming(site: Site) -> Verdict:
    """Arrival times of the parts of one stream."""
    reply = site.send("POST", _PATH, site.chat(_MANY, stream=True))
    if reply.status != 200:
        return contradicted(f"status {reply.status}: {reply.body[:200]!r}")
    parts, first, last = len(reply.times), reply.times[0], reply.times[-1]
    complete = reply.body.rstrip().endswith(b"data: [DONE]")
    evidence = f"{parts} parts, the first after {first * 1000:.0f} ms, the last after {last * 1000:.0f} ms"
    if complete and parts >= 4 and last < 0.2:
        return undecided(f"{evidence}: too fast to tell")
    return decide(complete and parts >= 4 and first < last / 2, evidence)


@probe(
    "G4",
    title="ANY takes every method, a literal segment wins over a variable, and the proxy takes the rest",
    minutes=0.1,
)
def routing(site: Site) -> Verdict:
    """Which resource takes which request, by what answers."""
    asked = {
        ("GET", "/v1/models"): 200,
        ("GET", f"/v1/models/{MODEL_NAME}"): 200,
        ("DELETE", "/v1/models"): 405,
        ("GET", "/v1/no/such/route"): 404,
        ("POST", "/no-such-route"): 404,
    }
    found = {f"{verb} {path}": site.send(verb, path).status for verb, path in asked}
    return decide(list(found.values()) == list(asked.values()), _listed(found))


@probe(
    "G20", title="A hub id with its slash, plain and percent-encoded, reaches the function as it was sent", minutes=0.1
)
def percent_encoded_ids(site: Site) -> Verdict:
    """`GET /v1/models/` with a hub id."""
    paths = [site.model_id, quote(site.model_id, safe="")]
    replies = [site.send("GET", f"/v1/models/{path}") for path in paths]
    found = {path: reply.status for path, reply in zip(paths, replies, strict=True)}
    answered = all(reply.status == 200 and reply.json()["id"] == MODEL_NAME for reply in replies)
    return decide(answered, _listed(found))


@probe("G6", title="A gateway response has the status, JSON body and request id of the document", minutes=0.1)
def gateway_responses(site: Site) -> Verdict:
    """A request without a key, for which the function is not asked."""
    reply = site.send("GET", "/v1/models", key=None)
    names = {name: reply.headers.get(name) for name in ("www-authenticate", "x-request-id", "x-amzn-requestid")}
    body = reply.json()
    holds = (
        reply.status == 401
        and body["error"]["code"] == "invalid_api_key"
        and names["www-authenticate"] == "Bearer"
        and names["x-request-id"] is not None
        and names["x-request-id"] == names["x-amzn-requestid"]
    )
    return decide(
        holds,
        f"status {reply.status}, code {body['error']['code']}, headers {sorted(k for k, v in names.items() if v)}",
    )


@probe("G26", title="HEAD reaches the function, and the response has no body", minutes=0.1)
def head(site: Site) -> Verdict:
    """`HEAD /health`, byte by byte: clients of HTTP read no body after it, whether there is one or not."""
    status, _, rest = site.receive("HEAD", "/health").partition(b"\r\n")
    _, end, body = rest.partition(b"\r\n\r\n")
    return decide(
        status.split()[1:2] == [b"200"] and end != b"" and body == b"",
        f"{status.decode(errors='replace')}, {len(body)} bytes after the headers",
    )


@probe("G27", title="Bodies in gzip and deflate are decompressed, another coding is a 415", minutes=0.1)
def compressed_bodies(site: Site) -> Verdict:
    """A chat in three codings."""
    plain = json.dumps(site.chat(2)).encode()
    bodies = {"gzip": gzip.compress(plain), "deflate": zlib.compress(plain), "br": plain}
    found = {
        coding: site.send("POST", _PATH, body, headers={"Content-Encoding": coding}).status
        for coding, body in bodies.items()
    }
    return decide(found == {"gzip": 200, "deflate": 200, "br": 415}, _listed(found))


@probe("G24", title="More than 10,240 bytes of headers are a 431", minutes=0.1)
def long_headers(site: Site) -> Verdict:
    """Headers below and above the quota."""
    found = {
        size: site.send("GET", "/health", headers={f"X-Filler-{n}": "x" * 1000 for n in range(size // 1000)}).status
        for size in (8_000, 11_000)
    }
    return decide(found == {8_000: 200, 11_000: 431}, _listed(found))


@probe("G8", title="A body above Lambda's 6 MB is a 413 of the gateway in the front door's form", minutes=0.2)
def large_body(site: Site) -> Verdict:
    """A prompt of 7 MB."""
    reply = site.send("POST", _PATH, site.chat(1) | {"user": "x" * 7_000_000})
    code = reply.json()["error"]["code"] if reply.body.startswith(b"{") else "no JSON"
    return decide((reply.status, code) == (413, "request_too_large"), f"status {reply.status}, code {code}")


@probe(
    "G9",
    "G25",
    "G5",
    "G10",
    "G13",
    "P53",
    title="The access log has every variable, in valid JSON, also of a request that fails",
    minutes=3,
)
def access_log(site: Site) -> Verdict:
    """The lines of one stream, and of one request without a key whose user agent has quotation marks."""
    since = time.time() - 1
    ids = [
        site.send("POST", _PATH, site.chat(8, stream=True)).headers["x-amzn-requestid"],
        site.send("GET", "/v1/models", key=None, headers={"User-Agent": _ESCAPED}).headers["x-amzn-requestid"],
    ]

    def both() -> list[object] | None:
        by_id = {line["requestId"]: line for line in site.access_lines(since, 2)}
        return [by_id[one] for one in ids] if by_id.keys() >= set(ids) else None

    good, bad = site.wait(both, 300, "the lines of two requests")
    timings = [good[name] for name in ("timeToAllHeaders", "timeToFirstContent", "integrationLatency")]
    facts = {
        "transfer mode": good["responseTransferMode"],
        "times in ms": timings,
        "status": good["status"],
        "without a key": (bad["status"], bad["errorType"], bad["responseTransferMode"]),
        "key id": "the consumer's" if good["apiKeyId"] == site.outputs()["ApiKeyId"] else "another one",
    }
    holds = (
        good["responseTransferMode"] == "STREAMED"
        and all(value.isdecimal() for value in timings)
        and good["status"] == "200"
        and (bad["status"], bad["errorType"], bad["responseTransferMode"]) == ("401", "UNAUTHORIZED", "-")
        and good["apiKeyId"] == site.outputs()["ApiKeyId"]
    )
    return decide(holds, _listed(facts))


@probe("P58", title="A client's text in X-Amzn-Trace-Id does not get into the access log", minutes=1)
def trace_header(site: Site) -> Verdict:
    """A header that is no trace."""
    since = time.time() - 1
    text = "Root=my-own-words"
    sent = site.send("GET", "/v1/models", headers={"X-Amzn-Trace-Id": text}).headers["x-amzn-requestid"]

    def line() -> object:
        return next((one for one in site.access_lines(since, 1) if one["requestId"] == sent), None)

    trace = site.wait(line, 300, "the line of a request")["xrayTraceId"]
    return decide("my-own-words" not in trace, f"xrayTraceId {trace}")


@probe(
    "L5",
    title="What API Gateway does with error trailers after a stream has begun",
    minutes=2,
    emulation=absent(
        "the emulated Lambda takes a function's code from CloudFormation alone, not from UpdateFunctionCode"
    ),
)
def error_trailers(site: Site) -> Verdict:
    """Every byte that a client gets from a function that breaks off, in the place of the front door's."""
    with broken(site):
        received = site.receive("GET", "/health")
    return judge_trailers(received)


def judge_trailers(received: bytes) -> Verdict:
    """What the response to a function that breaks off says.

    The row holds if the client gets what was sent before: nothing depends on the rest, which is the evidence.

    Args:
        received: Every byte of the response.
    """
    head, _, rest = received.partition(b"\r\n\r\n")
    status = head.split(b"\r\n")[0].decode(errors="replace")
    has_parts = FIRST.strip() in rest and SECOND.strip() in rest
    chunked = b"transfer-encoding: chunked" in head.lower()
    _, last, trailers = rest.rpartition(b"\r\n0\r\n")
    if not chunked:
        end = "not chunked"
    elif not last:
        end = "cut without a last chunk, so that a client knows"
    else:
        end = f"ended by a last chunk with {len(trailers.strip())} bytes of trailers"
    tells = "tells" if ERROR.encode() in received else "does not tell"
    return decide(
        status.split()[1:2] == ["200"] and has_parts,
        f"{status}; both parts before the failure arrived: {has_parts}; {end}; the response {tells} the client why",
    )


def _listed(found: object) -> str:
    return ", ".join(f"{name}: {value}" for name, value in found.items()) if isinstance(found, dict) else str(found)
