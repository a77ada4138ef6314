"""Probes of least privilege, by IAM's policy simulator: what roles may do, and what they may not."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from acceptance.probe import Verdict, absent, decide, probe

if TYPE_CHECKING:
    from acceptance.site import Site

_NO_SIMULATOR = absent("moto has no policy simulator; tests/policies reads the templates instead")
_INVOKE = ("sagemaker:InvokeEndpoint", "sagemaker:InvokeEndpointWithResponseStream")
_CHANGE = ("sagemaker:CreateEndpoint", "sagemaker:DeleteEndpoint", "sagemaker:UpdateEndpoint")


@probe(
    "S7",
    title="The invocation role may invoke its endpoint, no other, and nothing else",
    minutes=0.2,
    emulation=_NO_SIMULATOR,
)
def invocation_role(site: Site) -> Verdict:
    """The role of the front door's function, and the one action alone."""
    own = site.cloud.client("sagemaker").describe_endpoint(EndpointName=site.endpoint_name)["EndpointArn"]
    other = own.rsplit("/", 1)[0] + "/another-endpoint"
    role = _role(site, "FrontDoorFunctionRole")
    may = _simulate(site, role, _INVOKE, own)
    may_not = {**_simulate(site, role, _INVOKE, other), **_simulate_forbidden(site, role)}
    alone = _simulate_alone(site, _INVOKE[1], own)
    evidence = f"own endpoint: {_words(may)}; else: {_words(may_not)}; {_INVOKE[0]} alone, streaming: {alone}"
    return decide(
        set(may.values()) == {"allowed"} and "allowed" not in may_not.values() and alone == "allowed",
        evidence,
    )


@probe(
    "S14",
    title="The execution role pulls and logs, and may read no bucket or secret",
    minutes=0.2,
    emulation=_NO_SIMULATOR,
)
def execution_role(site: Site) -> Verdict:
    """The role of the endpoint, which has started with it."""
    role = _role(site, "EndpointRole")
    group = f"arn:aws:logs:{site.cloud.region}:{site.cloud.account}:log-group:/aws/sagemaker/Endpoints/x:log-stream:y"
    may = {
        **_simulate(site, role, ("ecr:GetAuthorizationToken",), "*"),
        **_simulate(site, role, ("logs:PutLogEvents", "logs:CreateLogStream"), group),
    }
    may_not = _simulate_forbidden(site, role)
    status = site.cloud.client("sagemaker").describe_endpoint(EndpointName=site.endpoint_name)["EndpointStatus"]
    return decide(
        set(may.values()) == {"allowed"} and "allowed" not in may_not.values() and status == "InService",
        f"may: {_words(may)}; may not: {_words(may_not)}; the endpoint is {status}",
    )


@probe(
    "D32", title="The smoke test's role may describe its own stack and no other", minutes=0.1, emulation=_NO_SIMULATOR
)
def smoke_test_role(site: Site) -> Verdict:
    """DescribeStacks by the ARN of a stack with its id."""
    own = str(site.stack()["StackId"])
    other = own.replace("/AcceptanceStack/", "/AnotherStack/")
    role, action = _role(site, "FrontDoorSmokeTestRole"), ("cloudformation:DescribeStacks",)
    found = [_simulate(site, role, action, arn)[action[0]] for arn in (own, other)]
    return decide(found[0] == "allowed" and found[1] != "allowed", f"own stack: {found[0]}, another: {found[1]}")


def _role(site: Site, beginning: str) -> str:
    """The ARN of the role whose logical id begins so."""
    for logical_id, name in site.resources("AWS::IAM::Role").items():
        if logical_id.startswith(beginning):
            return str(site.cloud.client("iam").get_role(RoleName=name)["Role"]["Arn"])
    raise LookupError(f"The stack has no role {beginning}.")


def _simulate(site: Site, role: str, actions: tuple[str, ...], resource: str) -> dict[str, str]:
    """What IAM decides of each action of a role on a resource: allowed, implicitDeny or explicitDeny."""
    answer = site.cloud.client("iam").simulate_principal_policy(
        PolicySourceArn=role, ActionNames=list(actions), ResourceArns=[resource]
    )
    return {one["EvalActionName"]: one["EvalDecision"] for one in answer["EvaluationResults"]}


def _simulate_forbidden(site: Site, role: str) -> dict[str, str]:
    """What IAM decides of what neither role may, each action on what a policy that is too wide would have.

    On `*` alone the simulator does not see a right to one resource.
    """
    account, region = site.cloud.account, site.cloud.region
    endpoint = site.cloud.client("sagemaker").describe_endpoint(EndpointName=site.endpoint_name)["EndpointArn"]
    partition = endpoint.split(":")[1]
    object_ = f"arn:{partition}:s3:::cdk-hnb659fds-assets-{account}-{region}/any.zip"
    secret = f"arn:{partition}:secretsmanager:{region}:{account}:secret:any-AbCdEf"
    asked = {endpoint: _CHANGE, object_: ("s3:GetObject",), secret: ("secretsmanager:GetSecretValue",)}
    asked[role] = ("iam:PassRole",)
    decided: dict[str, str] = {}
    for resource, actions in asked.items():
        for where in (resource, "*"):
            for action, decision in _simulate(site, role, actions, where).items():
                if decided.get(action) != "allowed":
                    decided[action] = decision
    return decided


def _simulate_alone(site: Site, action: str, resource: str) -> str:
    """What IAM decides of an action if InvokeEndpoint alone is allowed."""
    statement = {"Effect": "Allow", "Action": _INVOKE[0], "Resource": resource}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    answer = site.cloud.client("iam").simulate_custom_policy(
        PolicyInputList=[policy], ActionNames=[action], ResourceArns=[resource]
    )
    return str(answer["EvaluationResults"][0]["EvalDecision"])


def _words(decisions: dict[str, str]) -> str:
    return ", ".join(f"{action.split(':')[1]} {decision}" for action, decision in decisions.items())
