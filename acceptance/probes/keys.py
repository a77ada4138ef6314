"""Probes of API keys and their authorizer."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from acceptance.probe import Verdict, absent, contradicted, decide, probe, proven, undecided

if TYPE_CHECKING:
    from acceptance.site import Site

_CACHE_SECONDS = 3600
_UNKNOWN = "The API key is unknown, disabled, or not in a usage plan of this API."


@probe("G3", "G12", title="A key with a made-up value is refused by API Gateway itself", minutes=3)
def made_up_key(site: Site) -> Verdict:
    """A key that has the form of one; the access log says who refused it."""
    since = time.time() - 1
    reply = site.send("GET", "/v1/models", key="A" * 40)
    sent = reply.headers["x-amzn-requestid"]
    if reply.status == 200:
        return contradicted("status 200: API Gateway and the function let it pass")

    def line() -> object:
        return next((one for one in site.access_lines(since, 1) if one["requestId"] == sent), None)

    found = site.wait(line, 300, "its line in the access log")
    facts = f"status {reply.status}, errorType {found['errorType']}, integrationStatus {found['integrationStatus']}"
    by_gateway = found["errorType"] == "INVALID_API_KEY" and found["integrationStatus"] == "-"
    if by_gateway:
        return decide(reply.status == 401 and reply.message().startswith(_UNKNOWN), facts)
    return contradicted(f"{facts}: API Gateway let it pass, and the function refused it")


@probe("G28", title="Without a header, or with another scheme, the authorizer is not asked", minutes=3)
def missing_key(site: Site) -> Verdict:
    """Two requests without a bearer token."""
    since = time.time() - 1
    sent = {
        "no header": site.send("GET", "/v1/models", key=None),
        "Basic": site.send("GET", "/v1/models", key=None, headers={"Authorization": "Basic dXNlcjpwYXNz"}),
    }
    ids = {reply.headers["x-amzn-requestid"]: name for name, reply in sent.items()}

    def lines() -> list[object] | None:
        found = [one for one in site.access_lines(since, 2) if one["requestId"] in ids]
        return found if len(found) == 2 else None

    found = {ids[one["requestId"]]: one for one in site.wait(lines, 300, "their lines in the access log")}
    facts = {name: (one["status"], one["errorType"], one["authorizerLatency"]) for name, one in found.items()}
    return decide(
        all(each == ("401", "UNAUTHORIZED", "-") for each in facts.values()),
        ", ".join(f"{name}: status {a}, {b}, authorizer latency {c}" for name, (a, b, c) in sorted(facts.items())),
    )


@probe("G31", title="Anthropic's routes take a key in either of two headers, and nobody without one", minutes=2)
def key_in_either_header(site: Site) -> Verdict:
    """The same message three times; its routes have an authorizer that needs no header."""
    body = site.chat(1)
    sent = {
        "x-api-key": site.send("POST", "/v1/messages", body, key=None, headers={"x-api-key": site.key}),
        "Authorization": site.send("POST", "/v1/messages", body),
        "neither": site.send("POST", "/v1/messages", body, key=None),
    }
    facts = {name: reply.status for name, reply in sent.items()}
    return decide(
        facts == {"x-api-key": 200, "Authorization": 200, "neither": 401},
        ", ".join(f"{name}: status {status}" for name, status in facts.items()),
    )


@probe(
    "G19",
    title="How long an authorizer's answer is kept: how often it has run since the deployment",
    minutes=1,
    emulation=absent("the emulated Lambda writes no START lines, by which invocations are counted"),
)
def authorizer_cache(site: Site) -> Verdict:
    """Counts the invocations of the authorizer against the requests of this run."""
    for _ in range(20):
        site.send("GET", "/v1/models")
    group = site.log_group("AuthorizerFunctionLogs")
    lines = site.wait(lambda: site.cloud.log_lines(group, site.started), 300, "the authorizer's log")
    runs = sum('"platform.start"' in line or line.startswith("START ") for line in lines)
    hours = (time.time() - site.started) / _CACHE_SECONDS
    evidence = f"{site.sent} requests with one key in {hours * 60:.0f} minutes, {runs} invocations for all headers"
    # Beside the consumer's key the probes send few other headers.
    others = 20
    if runs == 0:
        return undecided(f"{evidence}: the log does not have them")
    if runs <= others + 1 + hours and site.sent > 2 * (others + 1):
        return proven(evidence)
    if runs >= site.sent:
        return contradicted(f"{evidence}: nothing was kept")
    return undecided(f"{evidence}: kept, but not for as long as an hour, or not everywhere")
