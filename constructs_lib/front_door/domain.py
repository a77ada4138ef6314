"""A front door's own name: a custom domain of API Gateway, with its certificate and its DNS record."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from aws_cdk import aws_apigateway as apigateway

from constructs_lib._arguments import CERTIFICATE, HOSTED_ZONE
from constructs_lib.planning.validation.problem import Problem

if TYPE_CHECKING:
    from aws_cdk import aws_certificatemanager as acm
    from aws_cdk import aws_ec2 as ec2
    from aws_cdk import aws_route53 as route53
    from constructs import Construct

_NAME = re.compile(r"(?=.{4,253}$)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]([a-z0-9-]{0,61}[a-z0-9])?")
_CERTIFICATE_ARN = re.compile(r"arn:[a-z-]+:acm:(?P<region>[a-z0-9-]+):\d{12}:certificate/.+")


@dataclass(frozen=True, slots=True)
class Domain:
    """The name under which a front door is called, such as `llm.example.com`, in place of API Gateway's.

    Connections use TLS 1.2 or newer. The name of API Gateway's own goes on to work.

    Args:
        name: The whole name, in lower case.
        certificate: Its certificate, of AWS Certificate Manager in the stack's Region.
        hosted_zone: The zone of Route 53 in which the record is made. Default: none is made; point the name at
            `regional_domain_name` of the domain by yourself. Not for a private API: point the name at the VPC endpoint.
    """

    name: str
    certificate: acm.ICertificate
    hosted_zone: route53.IHostedZone | None = None

    def problems(self, region: str, is_token: Callable[[object], bool], *, private: bool) -> Iterator[Problem]:
        """What is wrong with it.

        Args:
            region: The stack's Region.
            is_token: Whether a value is known only at deployment; such values are not checked.
            private: Whether the API can be reached through VPC endpoints only.
        """
        if not is_token(self.name) and not (isinstance(self.name, str) and _NAME.fullmatch(self.name)):
            fix = "Write it as llm.example.com: without https:// and path, in lower case."
            yield Problem("domain.name", self.name, "must be the name of a domain", fix)
        yield from CERTIFICATE.problems("domain.certificate", self.certificate, required=True)
        if CERTIFICATE.matches(self.certificate):
            yield from self._region_problems(region, is_token)
        yield from HOSTED_ZONE.problems("domain.hosted_zone", self.hosted_zone)
        if HOSTED_ZONE.matches(self.hosted_zone):
            yield from self._zone_problems(is_token, private=private)

    def _region_problems(self, region: str, is_token: Callable[[object], bool]) -> Iterator[Problem]:
        arn = self.certificate.certificate_arn
        found = None if is_token(arn) else _CERTIFICATE_ARN.fullmatch(arn)
        if found and not is_token(region) and found["region"] != region:
            fix = f"Take one of {region}."
            yield Problem("domain.certificate", arn, f"must be in the Region of the API, {region}", fix)

    def _zone_problems(self, is_token: Callable[[object], bool], *, private: bool) -> Iterator[Problem]:
        if private:
            fix = "Leave hosted_zone out, and make a record that is an alias of the VPC endpoint."
            message = "a private API has no address of its own: its name leads to the VPC endpoint"
            yield Problem("domain.hosted_zone", self.hosted_zone, message, fix)
            return
        zone = self.hosted_zone.zone_name if self.hosted_zone else ""
        known = isinstance(self.name, str) and not is_token(zone) and not is_token(self.name)
        if known and self.name != zone and not self.name.endswith(f".{zone}"):
            fix = f"Take the zone of {self.name}, or a name below {zone}."
            yield Problem("domain.hosted_zone", zone, f"is not a zone of {self.name}", fix)

    def bind(self, scope: Construct, *, rest_api_id: str, stage_name: str) -> None:
        """Make the domain of an API that can be reached from the internet.

        Args:
            scope: Where it is made.
            rest_api_id: The API.
            stage_name: Its stage.
        """
        domain = apigateway.CfnDomainName(
            scope,
            "Resource",
            domain_name=self.name,
            regional_certificate_arn=self.certificate.certificate_arn,
            endpoint_configuration=apigateway.CfnDomainName.EndpointConfigurationProperty(types=["REGIONAL"]),
            security_policy="TLS_1_2",
        )
        apigateway.CfnBasePathMapping(
            scope, "Mapping", domain_name=domain.ref, rest_api_id=rest_api_id, stage=stage_name
        )
        if self.hosted_zone is not None:
            self._add_record(scope, domain, self.hosted_zone)

    def _add_record(self, scope: Construct, domain: apigateway.CfnDomainName, zone: route53.IHostedZone) -> None:
        # An app without a record does not wait for this module.
        from aws_cdk import aws_route53 as route53

        route53.CfnRecordSet(
            scope,
            "Record",
            hosted_zone_id=zone.hosted_zone_id,
            name=self.name,
            type="A",
            alias_target=route53.CfnRecordSet.AliasTargetProperty(
                dns_name=domain.attr_regional_domain_name, hosted_zone_id=domain.attr_regional_hosted_zone_id
            ),
        )

    def bind_private(
        self,
        scope: Construct,
        *,
        rest_api_id: str,
        stage_name: str,
        vpc_endpoints: Sequence[ec2.IVpcEndpoint],
        policy: dict[str, Any] | None,
    ) -> None:
        """Make the domain of an API that can be reached through VPC endpoints only.

        Args:
            scope: Where it is made.
            rest_api_id: The API.
            stage_name: Its stage.
            vpc_endpoints: The endpoints.
            policy: Who may call through it.
        """
        domain = apigateway.CfnDomainNameV2(
            scope,
            "Resource",
            domain_name=self.name,
            certificate_arn=self.certificate.certificate_arn,
            endpoint_configuration=apigateway.CfnDomainNameV2.EndpointConfigurationProperty(types=["PRIVATE"]),
            security_policy="TLS_1_2",
            policy=policy,
        )
        arn = domain.attr_domain_name_arn
        apigateway.CfnBasePathMappingV2(
            scope, "Mapping", domain_name_arn=arn, rest_api_id=rest_api_id, stage=stage_name
        )
        for number, endpoint in enumerate(vpc_endpoints):
            apigateway.CfnDomainNameAccessAssociation(
                scope,
                f"Access{number}",
                domain_name_arn=arn,
                access_association_source=endpoint.vpc_endpoint_id,
                access_association_source_type="VPCE",
            )
