"""The custom domain name of a front door, with its certificate and DNS record."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from aws_cdk import aws_apigateway as apigateway

from constructs_lib._arguments import CERTIFICATE, HOSTED_ZONE
from constructs_lib._tokens import is_token
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
    """The custom domain name of a front door, such as `llm.example.com`.

    Connections use TLS 1.2 or newer. API Gateway's default domain name keeps working.

    Args:
        name: The fully qualified domain name, in lower case.
        certificate: Its certificate in AWS Certificate Manager, in the stack's Region.
        hosted_zone: The Route 53 hosted zone for the DNS record. Not for a private API: point the name at the VPC
            endpoint. Default: no record; point the name at the domain's `regional_domain_name` yourself.
    """

    name: str
    certificate: acm.ICertificate
    hosted_zone: route53.IHostedZone | None = None

    def validate(self, region: str, *, private: bool) -> Iterator[Problem]:
        """Problems of the arguments.

        Args:
            region: The stack's Region.
            private: Whether the API is private, reached only through VPC endpoints.
        """
        if not is_token(self.name) and not (isinstance(self.name, str) and _NAME.fullmatch(self.name)):
            fix = "Write it like llm.example.com: in lower case, without https:// and path."
            yield Problem("domain.name", self.name, "must be a domain name", fix)
        yield from CERTIFICATE.problems("domain.certificate", self.certificate, required=True)
        if CERTIFICATE.matches(self.certificate):
            yield from self._region_problems(region)
        yield from HOSTED_ZONE.problems("domain.hosted_zone", self.hosted_zone)
        if HOSTED_ZONE.matches(self.hosted_zone):
            yield from self._zone_problems(private=private)

    def _region_problems(self, region: str) -> Iterator[Problem]:
        arn = self.certificate.certificate_arn
        found = None if is_token(arn) else _CERTIFICATE_ARN.fullmatch(arn)
        if found and not is_token(region) and found["region"] != region:
            fix = f"Use a certificate in {region}."
            yield Problem("domain.certificate", arn, f"must be in the Region of the API, {region}", fix)

    def _zone_problems(self, *, private: bool) -> Iterator[Problem]:
        if private:
            fix = "Remove hosted_zone, and create an alias record for the VPC endpoint."
            message = "a private API has no public address that a record could point to"
            yield Problem("domain.hosted_zone", self.hosted_zone, message, fix)
            return
        zone = self.hosted_zone.zone_name if self.hosted_zone else ""
        known = isinstance(self.name, str) and not is_token(zone) and not is_token(self.name)
        if known and self.name != zone and not self.name.endswith(f".{zone}"):
            fix = f"Use the zone of {self.name}, or a name in {zone}."
            yield Problem("domain.hosted_zone", zone, f"does not contain {self.name}", fix)

    def bind(self, scope: Construct, *, rest_api_id: str, stage_name: str) -> None:
        """Create the domain name of a public API.

        Args:
            scope: The scope of the resources.
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
        # Imported here, as importing this module slows down synthesis.
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
        """Create the domain name of a private API.

        Args:
            scope: The scope of the resources.
            rest_api_id: The API.
            stage_name: Its stage.
            vpc_endpoints: The VPC endpoints that may use it.
            policy: Its resource policy.
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
