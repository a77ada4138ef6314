"""Probes of SageMaker's endpoint and its invocations, past the front door."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from acceptance.planned import planned_memory
from acceptance.probe import Result, Verdict, absent, contradicted, decide, differs, probe, undecided
from acceptance.site import error_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from acceptance.site import Site

_CACHE = re.compile(r"GPU KV cache size: ([\d,]+) tokens")


@probe("S1", "S3", title="The image is pulled, and starts on the host image that the plan chose", minutes=0)
def image_and_host(site: Site) -> Verdict:
    """What the endpoint in service is made of, against the template, which has what the plan chose."""
    planned = site.properties("AWS::SageMaker::EndpointConfig")["ProductionVariants"][0].get("InferenceAmiVersion")
    sagemaker = site.cloud.client("sagemaker")
    endpoint = sagemaker.describe_endpoint(EndpointName=site.endpoint_name)
    config = sagemaker.describe_endpoint_config(EndpointConfigName=endpoint["EndpointConfigName"])
    (variant,) = config["ProductionVariants"]
    model = sagemaker.describe_model(ModelName=variant["ModelName"])
    image = model["PrimaryContainer"]["Image"].rsplit("/", 1)[-1]
    evidence = f"{image} on {variant['InstanceType']} with {variant.get('InferenceAmiVersion')}, in {site.cloud.region}"
    return decide(
        endpoint["EndpointStatus"] == "InService" and variant.get("InferenceAmiVersion") == planned,
        f"{evidence}: {endpoint['EndpointStatus']}; planned: {planned}",
    )


@probe(
    "S13",
    title="The ARN has the name in lower case, the role allows it, and the call takes the name's own case",
    minutes=0,
    emulation=differs(Result.CONTRADICTED, "moto's ARNs have the name's own case"),
)
def case_of_names(site: Site) -> Verdict:
    """The name that CloudFormation gave has capitals; the end-to-end checks have called it with the role."""
    name = site.endpoint_name
    arn = site.cloud.client("sagemaker").describe_endpoint(EndpointName=name)["EndpointArn"]
    status = site.send("POST", "/v1/chat/completions", site.chat(1)).status
    if name == name.lower():
        return undecided(f"the name {name} has no capitals")
    return decide(
        arn.endswith(f"/{name.lower()}") and status == 200, f"{name}, …{arn.rsplit(':', 1)[-1]}, status {status}"
    )


@probe("D13", title="Answers name the variant, streamed ones too", minutes=0.1)
def named_variant(site: Site) -> Verdict:
    """One call of each kind."""
    plain = site.invoke(site.chat(2))
    plain["Body"].read()
    streamed = site.invoke_stream(site.chat(2, stream=True))
    _read(streamed)
    found = [answer.get("InvokedProductionVariant") for answer in (plain, streamed)]
    return decide(found[0] is not None and found[0] == found[1], f"InvokedProductionVariant: {found[0]}, {found[1]}")


@probe("S10", "E28", title="A stream comes in parts of bytes, with the container's content type", minutes=0.1)
def parts_of_a_stream(site: Site) -> Verdict:
    """The parts of one stream."""
    answer = site.invoke_stream(site.chat(50, stream=True))
    parts = _read(answer)
    kind = str(answer.get("ContentType"))
    expected = "application/jsonlines" if site.engine == "lmi" else "text/event-stream"
    lengths = sorted(map(len, parts))
    return decide(
        kind.startswith(expected) and len(parts) > 1,
        f"{len(parts)} parts of {lengths[0]} to {lengths[-1]} bytes, content type {kind}",
    )


@probe("S9", "D12", title="What does not exist is a ValidationError 400", minutes=0.1)
def validation_errors(site: Site) -> Verdict:
    """A variant and an endpoint that do not exist."""
    runtime = site.cloud.client("sagemaker-runtime")
    found: dict[str, Any] = {
        "variant": error_of(lambda: site.invoke(site.chat(1), TargetVariant="no-such-variant")),
        "endpoint": error_of(
            lambda: runtime.invoke_endpoint(EndpointName="no-such-endpoint", ContentType="application/json", Body=b"{}")
        ),
    }
    if None in found.values():
        return contradicted(f"answered: {', '.join(name for name, error in found.items() if error is None)}")
    facts = {name: (error["Code"], error["ResponseMetadata"]["HTTPStatusCode"]) for name, error in found.items()}
    return decide(
        set(facts.values()) == {("ValidationError", 400)},
        ", ".join(f"unknown {name}: {code} {status}" for name, (code, status) in facts.items()),
    )


@probe("S17", title="An inference id of 64 characters is taken on both calls", minutes=0.1)
def inference_id(site: Site) -> Verdict:
    """The longest id that the model of the API allows. That it reaches a capture is another matter."""
    identifier = "a" * 64
    errors = [
        error_of(lambda: site.invoke(site.chat(1), InferenceId=identifier)),
        error_of(lambda: _read(site.invoke_stream(site.chat(1, stream=True), InferenceId=identifier))),
    ]
    return decide(
        errors == [None, None], f"errors: {[one and one['Code'] for one in errors]}; a capture was not looked at"
    )


@probe(
    "E23",
    title="vLLM has as many tokens of cache as the plan says, within its uncertainty",
    minutes=1,
    emulation=absent("a toy replaces the model; its container has no GPU to report"),
)
def cache_memory(site: Site) -> Verdict:
    """The container's log, in whose words vLLM reports its cache."""
    if site.engine not in ("vllm", "lmi"):
        return undecided(f"{site.engine} has other words")
    group = f"/aws/sagemaker/Endpoints/{site.endpoint_name}"

    def reported() -> int | None:
        return tokens_of_cache(site.cloud.log_lines(group, site.started))

    return judge_cache(site.wait(reported, 120, "the size of the cache in the log"), planned_memory(site.context))


def tokens_of_cache(lines: list[str]) -> int | None:
    """The tokens of the cache that vLLM reports in its log; None if it has not yet."""
    for line in lines:
        if found := _CACHE.search(line):
            return int(found[1].replace(",", ""))
    return None


def judge_cache(tokens: int, planned: Mapping[str, Any]) -> Verdict:
    """Whether a cache has the planned size."""
    low, high = planned["low_tokens"], planned["high_tokens"]
    return decide(
        low <= tokens <= high, f"{tokens:,} tokens; planned {planned['max_tokens']:,}, from {low:,} to {high:,}"
    )


def _read(answer: Any) -> list[bytes]:
    return [event["PayloadPart"]["Bytes"] for event in answer["Body"] if "PayloadPart" in event]
