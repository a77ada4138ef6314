"""The web application firewall before a front door."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from constructs_lib._arguments import WEB_ACL
from constructs_lib.planning.validation.problem import Problem
from constructs_lib.planning.validation.rules import Integer, problem

if TYPE_CHECKING:
    from aws_cdk import aws_wafv2 as wafv2
    from constructs import Construct

_ARN = re.compile(r"arn:[a-z-]+:wafv2:(?P<region>[a-z0-9-]+):\d{12}:(?P<scope>regional|global)/webacl/[^/]+/[^/]+")
_RATE = Integer(10, 2_000_000_000, unit="requests")


@dataclass(frozen=True, slots=True)
class _RuleGroup:
    """A group of AWS's managed rules, and the rules of it that only count.

    Prompts are text about anything, code and web pages among it, and are long: rules that look into bodies would block
    them, and nothing behind the gateway runs or renders a body. WAF ignores names that the group does not have.
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
    """Which firewall looks at requests before API Gateway does. AWS WAF bills it by itself."""

    @staticmethod
    def managed(*, requests_per_five_minutes: int = 2000) -> WebAcl:
        """A web ACL of this stack's own, with rules that AWS keeps up to date.

        It blocks addresses of bad reputation, known bad inputs and the common attacks, and addresses that send too
        much. Rules that look into bodies only count: prompts may be about anything, and are long.

        Args:
            requests_per_five_minutes: Most requests that one address may send in any five minutes, 10 to 2 000 000 000.
                Many users may share one address, such as a company's. Default: 2000.
        """
        return _ManagedWebAcl(requests_per_five_minutes)

    @staticmethod
    def from_arn(web_acl_arn: str) -> WebAcl:
        """A web ACL that exists already, of the scope REGIONAL in the stack's Region.

        Args:
            web_acl_arn: Its ARN.
        """
        return _ExistingWebAcl(web_acl_arn)

    @staticmethod
    def from_web_acl(web_acl: wafv2.CfnWebACL) -> WebAcl:
        """A web ACL that this app makes, of the scope REGIONAL.

        Args:
            web_acl: The web ACL.
        """
        return _OwnWebAcl(web_acl)

    @abstractmethod
    def problems(self, region: str, is_token: Callable[[object], bool]) -> Iterator[Problem]:
        """What is wrong with it.

        Args:
            region: The stack's Region.
            is_token: Whether a value is known only at deployment; such values are not checked.
        """

    @abstractmethod
    def arn(self, scope: Construct) -> str:
        """Make what is missing, and give the ARN of the web ACL.

        Args:
            scope: Where it is made.
        """

    def bind(self, scope: Construct, *, stage_arn: str) -> None:
        """Put it before a stage.

        Args:
            scope: Where the association is made.
            stage_arn: The stage.
        """
        # An app without a firewall does not wait for this module.
        from aws_cdk import aws_wafv2 as wafv2

        wafv2.CfnWebACLAssociation(scope, "Association", resource_arn=stage_arn, web_acl_arn=self.arn(scope))


class _ExistingWebAcl(WebAcl):
    def __init__(self, web_acl_arn: str) -> None:
        self._arn = web_acl_arn

    def problems(self, region: str, is_token: Callable[[object], bool]) -> Iterator[Problem]:
        if is_token(self._arn):
            return
        found = _ARN.fullmatch(self._arn) if isinstance(self._arn, str) else None
        if found is None:
            message = "must be arn:<partition>:wafv2:<region>:<account>:regional/webacl/<name>/<id>"
            yield Problem("web_acl", self._arn, message, "Give the ARN that the WAF console shows.")
        elif found["scope"] == "global":
            fix = "Make one of the scope REGIONAL."
            yield Problem("web_acl", self._arn, "is one for CloudFront, which API Gateway does not take", fix)
        elif not is_token(region) and found["region"] != region:
            yield Problem("web_acl", self._arn, f"must be in the Region of the API, {region}", f"Take one of {region}.")

    def arn(self, scope: Construct) -> str:
        return self._arn


class _OwnWebAcl(WebAcl):
    def __init__(self, web_acl: wafv2.CfnWebACL) -> None:
        self._web_acl = web_acl

    def problems(self, region: str, is_token: Callable[[object], bool]) -> Iterator[Problem]:
        yield from WEB_ACL.problems("web_acl", self._web_acl, required=True)

    def arn(self, scope: Construct) -> str:
        return self._web_acl.attr_arn


class _ManagedWebAcl(WebAcl):
    def __init__(self, requests_per_five_minutes: int) -> None:
        self._rate = requests_per_five_minutes

    def problems(self, region: str, is_token: Callable[[object], bool]) -> Iterator[Problem]:
        keyword = "web_acl.requests_per_five_minutes"
        if not is_token(self._rate) and (found := problem(keyword, self._rate, _RATE)):
            yield found

    def arn(self, scope: Construct) -> str:
        from aws_cdk import aws_wafv2 as wafv2

        acl = wafv2.CfnWebACL(
            scope,
            "Resource",
            scope="REGIONAL",
            default_action=wafv2.CfnWebACL.DefaultActionProperty(allow={}),
            visibility_config=_seen_as("FrontDoor"),
            rules=[
                _rate_rule(self._rate),
                *(_group_rule(group, priority) for priority, group in enumerate(_GROUPS, start=1)),
            ],
        )
        return acl.attr_arn


def _rate_rule(limit: int) -> wafv2.CfnWebACL.RuleProperty:
    from aws_cdk import aws_wafv2 as wafv2

    rate = wafv2.CfnWebACL.RateBasedStatementProperty(limit=limit, evaluation_window_sec=300, aggregate_key_type="IP")
    return wafv2.CfnWebACL.RuleProperty(
        name="RatePerAddress",
        priority=0,
        action=wafv2.CfnWebACL.RuleActionProperty(block={}),
        statement=wafv2.CfnWebACL.StatementProperty(rate_based_statement=rate),
        visibility_config=_seen_as("RatePerAddress"),
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
        visibility_config=_seen_as(group.name),
    )


def _seen_as(metric: str) -> wafv2.CfnWebACL.VisibilityConfigProperty:
    from aws_cdk import aws_wafv2 as wafv2

    # Samples hold headers, and so keys; and the requests' paths and addresses are in the access log already.
    return wafv2.CfnWebACL.VisibilityConfigProperty(
        cloud_watch_metrics_enabled=True, metric_name=metric, sampled_requests_enabled=False
    )
