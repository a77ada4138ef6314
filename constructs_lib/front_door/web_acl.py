"""The AWS WAF web ACL of a front door."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from aws_cdk import CfnDeletionPolicy

from constructs_lib._arguments import WEB_ACL
from constructs_lib._nag import acknowledge
from constructs_lib._tokens import is_token
from constructs_lib.acknowledgements import MANAGED_WEB_ACL
from constructs_lib.planning.validation.problem import Problem
from constructs_lib.planning.validation.rules import Integer, problem

if TYPE_CHECKING:
    from aws_cdk import aws_wafv2 as wafv2
    from constructs import Construct

_ARN = re.compile(r"arn:[a-z-]+:wafv2:(?P<region>[a-z0-9-]+):\d{12}:(?P<scope>regional|global)/webacl/[^/]+/[^/]+")
_RATE = Integer(10, 2_000_000_000, unit="requests")


@dataclass(frozen=True, slots=True)
class _RuleGroup:
    """A managed rule group of AWS, and its rules that only count.

    Prompts are long texts about anything, including code and web pages: rules that inspect bodies would block them, and
    nothing behind the gateway runs or renders a body. WAF ignores overrides of rules that the group does not have.
    """

    name: str
    counted: tuple[str, ...] = ()


# Source: AWS WAF Developer Guide, "AWS Managed Rules rule groups list".
_GROUPS = (
    _RuleGroup("AWSManagedRulesAmazonIpReputationList"),
    _RuleGroup(
        "AWSManagedRulesCommonRuleSet",
        (
            "SizeRestrictions_BODY",
            "CrossSiteScripting_BODY",
            "EC2MetaDataSSRF_BODY",
            "GenericLFI_BODY",
            "GenericRFI_BODY",
        ),
    ),
    _RuleGroup(
        "AWSManagedRulesKnownBadInputsRuleSet", ("JavaDeserializationRCE_BODY", "Log4JRCE_BODY", "ReactJSRCE_BODY")
    ),
)


class WebAcl(ABC):
    """The AWS WAF web ACL that inspects requests before API Gateway does. AWS WAF is billed separately.

    Create one with `WebAcl.managed`, `WebAcl.from_arn` or `WebAcl.from_web_acl`.
    """

    @staticmethod
    def managed(*, requests_per_five_minutes: int = 2000) -> WebAcl:
        """A new web ACL in this stack, with rules that AWS maintains.

        It blocks IP addresses with a bad reputation, known bad inputs, common attacks, and addresses that send too many
        requests. Rules that inspect bodies only count, as prompts are long and may be about anything.

        Args:
            requests_per_five_minutes: Requests that one IP address may send in five minutes, 10 to 2 000 000 000. Many
                users may share an address, such as those of a company. Default: 2000.
        """
        return _ManagedWebAcl(requests_per_five_minutes)

    @staticmethod
    def from_arn(web_acl_arn: str) -> WebAcl:
        """An existing web ACL of the scope REGIONAL, in the stack's Region.

        Args:
            web_acl_arn: Its ARN.
        """
        return _ExistingWebAcl(web_acl_arn)

    @staticmethod
    def from_web_acl(web_acl: wafv2.CfnWebACL) -> WebAcl:
        """A web ACL of the scope REGIONAL that this app defines.

        Args:
            web_acl: The web ACL.
        """
        return _AppWebAcl(web_acl)

    @abstractmethod
    def validate(self, region: str) -> Iterator[Problem]:
        """Problems of the arguments.

        Args:
            region: The stack's Region.
        """

    @abstractmethod
    def create(self, scope: Construct) -> str:
        """Create the web ACL unless it exists.

        Args:
            scope: The scope of the resource.

        Returns:
            The ARN of the web ACL.
        """

    def bind(self, scope: Construct, *, stage_arn: str) -> None:
        """Associate the web ACL with a stage.

        Args:
            scope: The scope of the resources.
            stage_arn: The stage.
        """
        # Imported here, as importing this module slows down synthesis.
        from aws_cdk import aws_wafv2 as wafv2

        acl = self.create(scope)
        association = wafv2.CfnWebACLAssociation(scope, "Association", resource_arn=stage_arn, web_acl_arn=acl)
        # Another web ACL is another association, which takes the place of the old one. WAF's DisassociateWebACL names
        # only the stage: deleting the old association would leave the stage without any web ACL.
        association.cfn_options.update_replace_policy = CfnDeletionPolicy.RETAIN
        # CloudFormation's default, as the CDK warns at every synth of an UpdateReplacePolicy without a DeletionPolicy.
        association.cfn_options.deletion_policy = CfnDeletionPolicy.DELETE


class _ExistingWebAcl(WebAcl):
    def __init__(self, web_acl_arn: str) -> None:
        self._arn = web_acl_arn

    def validate(self, region: str) -> Iterator[Problem]:
        if is_token(self._arn):
            return
        found = _ARN.fullmatch(self._arn) if isinstance(self._arn, str) else None
        if found is None:
            message = "must be arn:<partition>:wafv2:<region>:<account>:regional/webacl/<name>/<id>"
            yield Problem("web_acl", self._arn, message, "Give the ARN that the WAF console shows.")
        elif found["scope"] == "global":
            fix = "Create one of the scope REGIONAL."
            yield Problem("web_acl", self._arn, "is for CloudFront; API Gateway requires the scope REGIONAL", fix)
        elif not is_token(region) and found["region"] != region:
            yield Problem("web_acl", self._arn, f"must be in the Region of the API, {region}", f"Use one in {region}.")

    def create(self, scope: Construct) -> str:
        return self._arn


class _AppWebAcl(WebAcl):
    def __init__(self, web_acl: wafv2.CfnWebACL) -> None:
        self._web_acl = web_acl

    def validate(self, region: str) -> Iterator[Problem]:
        yield from WEB_ACL.problems("web_acl", self._web_acl, required=True)

    def create(self, scope: Construct) -> str:
        return self._web_acl.attr_arn


class _ManagedWebAcl(WebAcl):
    def __init__(self, requests_per_five_minutes: int) -> None:
        self._rate = requests_per_five_minutes

    def validate(self, region: str) -> Iterator[Problem]:
        keyword = "web_acl.requests_per_five_minutes"
        if not is_token(self._rate) and (found := problem(keyword, self._rate, _RATE)):
            yield found

    def create(self, scope: Construct) -> str:
        from aws_cdk import aws_wafv2 as wafv2

        acl = wafv2.CfnWebACL(
            scope,
            "Resource",
            scope="REGIONAL",
            default_action=wafv2.CfnWebACL.DefaultActionProperty(allow={}),
            visibility_config=_visibility("FrontDoor"),
            rules=[
                _rate_rule(self._rate),
                *(_group_rule(group, priority) for priority, group in enumerate(_GROUPS, start=1)),
            ],
        )
        acknowledge(acl, MANAGED_WEB_ACL)
        return acl.attr_arn


def _rate_rule(limit: int) -> wafv2.CfnWebACL.RuleProperty:
    from aws_cdk import aws_wafv2 as wafv2

    rate = wafv2.CfnWebACL.RateBasedStatementProperty(limit=limit, evaluation_window_sec=300, aggregate_key_type="IP")
    return wafv2.CfnWebACL.RuleProperty(
        name="RatePerAddress",
        priority=0,
        action=wafv2.CfnWebACL.RuleActionProperty(block={}),
        statement=wafv2.CfnWebACL.StatementProperty(rate_based_statement=rate),
        visibility_config=_visibility("RatePerAddress"),
    )


def _group_rule(group: _RuleGroup, priority: int) -> wafv2.CfnWebACL.RuleProperty:
    from aws_cdk import aws_wafv2 as wafv2

    count = wafv2.CfnWebACL.RuleActionProperty(count={})
    statement = wafv2.CfnWebACL.ManagedRuleGroupStatementProperty(
        vendor_name="AWS",
        name=group.name,
        rule_action_overrides=[
            wafv2.CfnWebACL.RuleActionOverrideProperty(name=name, action_to_use=count) for name in group.counted
        ]
        or None,
    )
    return wafv2.CfnWebACL.RuleProperty(
        name=group.name,
        priority=priority,
        override_action=wafv2.CfnWebACL.OverrideActionProperty(none={}),
        statement=wafv2.CfnWebACL.StatementProperty(managed_rule_group_statement=statement),
        visibility_config=_visibility(group.name),
    )


def _visibility(metric: str) -> wafv2.CfnWebACL.VisibilityConfigProperty:
    from aws_cdk import aws_wafv2 as wafv2

    # Samples contain headers and so keys; the requests' addresses and routes are in the access log.
    return wafv2.CfnWebACL.VisibilityConfigProperty(
        cloud_watch_metrics_enabled=True, metric_name=metric, sampled_requests_enabled=False
    )
