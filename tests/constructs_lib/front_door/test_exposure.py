"""How a front door is exposed: VPC endpoints, resource policy, web ACL, domain and cross-origin requests."""

import json
from typing import Any

import pytest
from aws_cdk import App, Environment, Stack, Token
from aws_cdk import aws_certificatemanager as acm
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_route53 as route53
from aws_cdk import aws_wafv2 as wafv2

from constructs_lib.errors import ConfigurationError
from constructs_lib.front_door.access import Access
from constructs_lib.front_door.cors import Cors
from constructs_lib.front_door.domain import Domain
from constructs_lib.front_door.front_door import FrontDoor
from constructs_lib.front_door.web_acl import WebAcl
from tests.constructs_lib.front_door.doubles import (
    default,
    endpoint,
    flat,
    function,
    make_front_door,
    of_type,
    only,
    operations,
    properties,
    required_schemes,
    responses,
    template,
    variables,
)

HERE = Environment(account="111122223333", region="eu-west-1")
CERTIFICATE = "arn:aws:acm:{}:111122223333:certificate/4ba8fce1-abcd-4717-9c34-11bfd24372ba"
WEB_ACL = "arn:aws:wafv2:{}:111122223333:{}/webacl/team/4ba8fce1-abcd-4717-9c34-11bfd24372ba"


@pytest.fixture
def stack() -> Stack:
    return Stack(App(), "Stack", env=HERE)


def vpc_endpoint(stack: Stack, id: str = "vpce-1") -> ec2.IVpcEndpoint:
    return ec2.InterfaceVpcEndpoint.from_interface_vpc_endpoint_attributes(stack, id, vpc_endpoint_id=id, port=443)


def certificate(stack: Stack, region: str = "eu-west-1") -> acm.ICertificate:
    return acm.Certificate.from_certificate_arn(stack, "Certificate", CERTIFICATE.format(region))


def zone(stack: Stack, name: str = "example.com") -> route53.IHostedZone:
    return route53.HostedZone.from_hosted_zone_attributes(stack, "Zone", hosted_zone_id="Z012334", zone_name=name)


def rejection(stack: Stack, **arguments: Any) -> str:
    models = {"llama": endpoint(Stack(App(), "Models"))}
    with pytest.raises(ConfigurationError) as error:
        FrontDoor(stack, "FrontDoor", models=models, **arguments)
    assert stack.node.try_find_child("FrontDoor") is None
    return str(error.value)


def statement(effect: str, **condition: Any) -> dict[str, Any]:
    rendered = {"Effect": effect, "Principal": "*", "Action": "execute-api:Invoke", "Resource": "execute-api:/*"}
    return rendered | ({"Condition": condition} if condition else {})


def through_other_endpoints(*endpoints: str) -> dict[str, Any]:
    return statement("Deny", StringNotEquals={"aws:SourceVpce": list(endpoints)})


def policy(rendered: dict[str, Any]) -> list[dict[str, Any]]:
    document = only(rendered, "ApiGateway::RestApi")["Policy"]
    assert document["Version"] == "2012-10-17"
    found: list[dict[str, Any]] = document["Statement"]
    return found


# VPC endpoints and resource policy


def test_an_api_is_public_and_has_no_resource_policy_by_default() -> None:
    api = only(default(), "ApiGateway::RestApi")
    assert api["EndpointConfiguration"] == {"Types": ["REGIONAL"]}
    assert api["Parameters"] == {"endpointConfigurationTypes": "REGIONAL"}
    assert "Policy" not in api


def test_a_private_api_is_reached_only_through_its_vpc_endpoints(stack: Stack) -> None:
    endpoints = [vpc_endpoint(stack), vpc_endpoint(stack, "vpce-2")]
    rendered = template(make_front_door(stack, vpc_endpoints=endpoints))
    api = only(rendered, "ApiGateway::RestApi")
    assert api["EndpointConfiguration"] == {"Types": ["PRIVATE"], "VpcEndpointIds": ["vpce-1", "vpce-2"]}
    assert api["Parameters"] == {"endpointConfigurationTypes": "PRIVATE"}
    assert policy(rendered) == [statement("Allow"), through_other_endpoints("vpce-1", "vpce-2")]


def test_vpc_endpoints_of_other_services_are_rejected_by_their_type_or_service(stack: Stack) -> None:
    vpc = ec2.Vpc(stack, "Vpc")
    services, reached = ec2.InterfaceVpcEndpointAwsService, "but a private API is reached through"
    message = rejection(
        stack,
        vpc_endpoints=[
            vpc.add_interface_endpoint("Right", service=services.APIGATEWAY),
            vpc.add_gateway_endpoint("S3", service=ec2.GatewayVpcEndpointAwsService.S3),
            vpc.add_interface_endpoint("Runtime", service=services.SAGEMAKER_RUNTIME),
            ec2.GatewayVpcEndpoint.from_gateway_vpc_endpoint_id(stack, "Imported", "vpce-3"),
        ],
    )
    fix = ". Give vpc.add_interface_endpoint(…, service=InterfaceVpcEndpointAwsService.APIGATEWAY)."
    gateway = f"is a gateway endpoint, {reached} interface endpoints for execute-api{fix}"
    other = f"{reached} endpoints for execute-api{fix}"
    assert message.splitlines()[1:] == [
        f"  - vpc_endpoints[1]=(GatewayVpcEndpoint Stack/Vpc/S3): {gateway}",
        f"  - vpc_endpoints[2]=(InterfaceVpcEndpoint Stack/Vpc/Runtime): is an endpoint for another service, {other}",
        f"  - vpc_endpoints[3]=(Stack/Imported): {gateway}",
    ]


def test_a_vpc_endpoint_whose_service_only_the_deployment_knows_is_accepted(stack: Stack) -> None:
    service = ec2.InterfaceVpcEndpointService(Token.as_string({"Fn::ImportValue": "Service"}))
    own = ec2.Vpc(stack, "Vpc").add_interface_endpoint("Own", service=service)
    rendered = template(make_front_door(stack, vpc_endpoints=[own]))
    assert only(rendered, "ApiGateway::RestApi")["EndpointConfiguration"]["Types"] == ["PRIVATE"]


@pytest.mark.parametrize("region", ["eu-west-1", None])
def test_a_vpc_endpoint_of_this_app_for_execute_api_is_accepted(region: str | None) -> None:
    stack = Stack(App(), "Stack", env=Environment(region=region))
    own = ec2.Vpc(stack, "Vpc").add_interface_endpoint("Api", service=ec2.InterfaceVpcEndpointAwsService.APIGATEWAY)
    rendered = template(make_front_door(stack, vpc_endpoints=[own]))
    assert len(only(rendered, "ApiGateway::RestApi")["EndpointConfiguration"]["VpcEndpointIds"]) == 1


def test_no_policy_allows_callers_that_iam_or_a_custom_authorizer_merely_does_not_name(stack: Stack) -> None:
    function = lambda_.Function.from_function_attributes(
        stack, "Own", function_arn="arn:aws:lambda:eu-west-1:111122223333:function:own", same_environment=True
    )
    for number, access in enumerate((Access.iam(), Access.authorizer(function))):
        own = Stack(App(), f"Stack{number}", env=HERE)
        rendered = template(make_front_door(own, access=access, vpc_endpoints=[vpc_endpoint(own)]))
        assert policy(rendered) == [through_other_endpoints("vpce-1")]


def test_a_policy_with_only_deny_statements_leaves_other_callers_to_the_access_method(stack: Stack) -> None:
    denied = iam.PolicyStatement(
        effect=iam.Effect.DENY,
        principals=[iam.AnyPrincipal()],
        actions=["execute-api:Invoke"],
        resources=["execute-api:/*"],
        conditions={"NotIpAddress": {"aws:SourceIp": "192.0.2.0/24"}},
    )
    rendered = template(make_front_door(stack, resource_policy=iam.PolicyDocument(statements=[denied])))
    allow, deny = policy(rendered)
    assert allow == statement("Allow")
    assert (deny["Effect"], deny["Condition"]) == ("Deny", {"NotIpAddress": {"aws:SourceIp": "192.0.2.0/24"}})


def test_a_policy_that_allows_some_callers_allows_nobody_else_also_on_a_private_api(stack: Stack) -> None:
    allowed = iam.PolicyStatement(
        principals=[iam.AccountPrincipal("444455556666")],
        actions=["execute-api:Invoke"],
        resources=["execute-api:/*"],
    )
    document = iam.PolicyDocument(statements=[allowed])
    rendered = template(
        make_front_door(stack, access=Access.iam(), resource_policy=document, vpc_endpoints=[vpc_endpoint(stack)])
    )
    given, own = policy(rendered)
    assert (given["Effect"], flat(given["Principal"]["AWS"])) == (
        "Allow",
        "arn:<AWS::Partition>:iam::444455556666:root",
    )
    assert own == through_other_endpoints("vpce-1")


def test_an_empty_policy_is_no_policy(stack: Stack) -> None:
    rendered = template(make_front_door(stack, resource_policy=iam.PolicyDocument()))
    assert "Policy" not in only(rendered, "ApiGateway::RestApi")


def test_a_change_of_the_exposure_creates_a_new_deployment_as_api_gateway_requires(stack: Stack) -> None:
    def deployed(**arguments: Any) -> set[str]:
        own = Stack(App(), "Stack", env=HERE)
        ids = arguments.pop("ids", ())
        endpoints = [vpc_endpoint(own, name) for name in ids] or None
        return set(
            of_type(template(make_front_door(own, vpc_endpoints=endpoints, **arguments)), "ApiGateway::Deployment")
        )

    assert len({*deployed(), *deployed(ids=["vpce-1"]), *deployed(ids=["vpce-2"])}) == 3


def test_invalid_vpc_endpoints_are_rejected(stack: Stack) -> None:
    assert "vpc_endpoints=[]: must have at least one endpoint" in rejection(stack, vpc_endpoints=[])
    message = rejection(stack, vpc_endpoints=["vpce-1"])
    assert "vpc_endpoints[0]='vpce-1': must be a VPC endpoint of aws_ec2, not str." in message


# Web ACL


def rules(rendered: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {rule["Name"]: rule for rule in only(rendered, "WAFv2::WebACL")["Rules"]}


def counted(rule: dict[str, Any]) -> list[str]:
    group = rule["Statement"]["ManagedRuleGroupStatement"]
    assert all(each["ActionToUse"] == {"Count": {}} for each in group.get("RuleActionOverrides", []))
    return [each["Name"] for each in group.get("RuleActionOverrides", [])]


def test_the_managed_web_acl_is_associated_with_the_stage(stack: Stack) -> None:
    rendered = template(make_front_door(stack, web_acl=WebAcl.managed()))
    association = only(rendered, "WAFv2::WebACLAssociation")
    (api,) = of_type(rendered, "ApiGateway::RestApi")
    (stage,) = of_type(rendered, "ApiGateway::Stage")
    (acl,) = of_type(rendered, "WAFv2::WebACL")
    assert flat(association["ResourceArn"]) == (
        f"arn:<AWS::Partition>:apigateway:eu-west-1::/restapis/<{api}>/stages/<{stage}>"
    )
    assert flat(association["WebACLArn"]) == f"<{acl}.Arn>"
    assert only(rendered, "WAFv2::WebACL")["Scope"] == "REGIONAL"
    assert only(rendered, "WAFv2::WebACL")["DefaultAction"] == {"Allow": {}}


def test_another_web_acl_takes_the_place_of_the_old_one_which_cloudformation_then_leaves_alone(stack: Stack) -> None:
    rendered = template(make_front_door(stack, web_acl=WebAcl.managed()))
    (association,) = of_type(rendered, "WAFv2::WebACLAssociation").values()
    assert association["UpdateReplacePolicy"] == "Retain", "its deletion would leave the stage without a web ACL"
    assert association["DeletionPolicy"] == "Delete", "without a web ACL there is none"


def test_the_managed_rules_block_except_those_that_inspect_bodies(stack: Stack) -> None:
    acl_rules = rules(template(make_front_door(stack, web_acl=WebAcl.managed())))
    assert list(acl_rules) == [
        "RatePerAddress",
        "AWSManagedRulesAmazonIpReputationList",
        "AWSManagedRulesCommonRuleSet",
        "AWSManagedRulesKnownBadInputsRuleSet",
    ]
    assert [rule["Priority"] for rule in acl_rules.values()] == [0, 1, 2, 3]
    assert "SizeRestrictions_BODY" in counted(acl_rules["AWSManagedRulesCommonRuleSet"])
    assert "CrossSiteScripting_BODY" in counted(acl_rules["AWSManagedRulesCommonRuleSet"])
    assert counted(acl_rules["AWSManagedRulesAmazonIpReputationList"]) == []
    groups = [rule for name, rule in acl_rules.items() if name != "RatePerAddress"]
    assert all(name.endswith("_BODY") for rule in groups for name in counted(rule))
    assert all(rule["OverrideAction"] == {"None": {}} for rule in groups)


def test_the_rate_limit_of_one_address_can_be_set(stack: Stack) -> None:
    rule = rules(template(make_front_door(stack, web_acl=WebAcl.managed(requests_per_five_minutes=500))))[
        "RatePerAddress"
    ]
    assert rule["Action"] == {"Block": {}}
    assert rule["Statement"]["RateBasedStatement"] == {
        "AggregateKeyType": "IP",
        "EvaluationWindowSec": 300,
        "Limit": 500,
    }


def test_no_request_is_sampled_as_samples_contain_headers_with_keys(stack: Stack) -> None:
    acl = only(template(make_front_door(stack, web_acl=WebAcl.managed())), "WAFv2::WebACL")
    configs = [acl["VisibilityConfig"], *(rule["VisibilityConfig"] for rule in acl["Rules"])]
    assert {each["SampledRequestsEnabled"] for each in configs} == {False}


def test_an_existing_web_acl_or_one_of_this_app_can_be_used(stack: Stack) -> None:
    arn = WEB_ACL.format("eu-west-1", "regional")
    rendered = template(make_front_door(stack, web_acl=WebAcl.from_arn(arn)))
    assert only(rendered, "WAFv2::WebACLAssociation")["WebACLArn"] == arn
    assert not of_type(rendered, "WAFv2::WebACL")
    other = Stack(App(), "Stack", env=HERE)
    visibility = wafv2.CfnWebACL.VisibilityConfigProperty(
        cloud_watch_metrics_enabled=False, metric_name="own", sampled_requests_enabled=False
    )
    own = wafv2.CfnWebACL(
        other,
        "Own",
        scope="REGIONAL",
        default_action=wafv2.CfnWebACL.DefaultActionProperty(allow={}),
        visibility_config=visibility,
    )
    rendered = template(make_front_door(other, web_acl=WebAcl.from_web_acl(own)))
    assert flat(only(rendered, "WAFv2::WebACLAssociation")["WebACLArn"]) == "<Own.Arn>"


def test_the_response_to_blocked_requests_is_json_like_all_others(stack: Stack) -> None:
    response = responses(template(make_front_door(stack, web_acl=WebAcl.managed())))["WAF_FILTERED"]
    assert response["statusCode"] == "403"
    assert json.loads(response["responseTemplates"]["application/json"])["error_type"] == "blocked"
    assert "WAF_FILTERED" not in responses(default())


@pytest.mark.parametrize(
    ("web_acl", "message"),
    [
        (WebAcl.from_arn("managed"), "web_acl='managed': must be arn:<partition>:wafv2:<region>:<account>:regional"),
        (
            WebAcl.from_arn(WEB_ACL.format("us-east-1", "global")),
            "is for CloudFront; API Gateway requires the scope REGIONAL",
        ),
        (WebAcl.from_arn(WEB_ACL.format("us-east-1", "regional")), "must be in the Region of the API, eu-west-1"),
        (WebAcl.managed(requests_per_five_minutes=5), "web_acl.requests_per_five_minutes=5: must be from 10 to"),
        (WebAcl.from_web_acl("own"), "web_acl='own': must be a CfnWebACL of aws_wafv2, not str."),  # type: ignore[arg-type]
    ],
)
def test_a_web_acl_that_aws_would_reject_is_rejected(stack: Stack, web_acl: WebAcl, message: str) -> None:
    assert message in rejection(stack, web_acl=web_acl)


def test_a_web_acl_known_only_at_deployment_is_accepted(stack: Stack) -> None:
    arn = Token.as_string({"Fn::ImportValue": "WebAcl"})
    rendered = template(make_front_door(stack, web_acl=WebAcl.from_arn(arn)))
    assert only(rendered, "WAFv2::WebACLAssociation")["WebACLArn"] == {"Fn::ImportValue": "WebAcl"}


# Domain


def test_a_domain_maps_to_the_stage_over_tls_1_2_and_is_the_url(stack: Stack) -> None:
    front_door = make_front_door(stack, domain=Domain("llm.example.com", certificate(stack)))
    rendered = template(front_door)
    assert only(rendered, "ApiGateway::DomainName") == {
        "DomainName": "llm.example.com",
        "RegionalCertificateArn": CERTIFICATE.format("eu-west-1"),
        "EndpointConfiguration": {"Types": ["REGIONAL"]},
        "SecurityPolicy": "TLS_1_2",
    }
    (domain,) = of_type(rendered, "ApiGateway::DomainName")
    (api,) = of_type(rendered, "ApiGateway::RestApi")
    (stage,) = of_type(rendered, "ApiGateway::Stage")
    assert only(rendered, "ApiGateway::BasePathMapping") == {
        "DomainName": {"Ref": domain},
        "RestApiId": {"Ref": api},
        "Stage": {"Ref": stage},
    }
    assert front_door.url == "https://llm.example.com"
    assert not of_type(rendered, "Route53::RecordSet")


def test_a_record_for_the_domain_is_created_in_the_hosted_zone(stack: Stack) -> None:
    rendered = template(
        make_front_door(stack, domain=Domain("llm.example.com", certificate(stack), hosted_zone=zone(stack)))
    )
    (domain,) = of_type(rendered, "ApiGateway::DomainName")
    record = only(rendered, "Route53::RecordSet")
    assert (record["HostedZoneId"], record["Name"], record["Type"]) == ("Z012334", "llm.example.com", "A")
    assert {key: flat(value) for key, value in record["AliasTarget"].items()} == {
        "DNSName": f"<{domain}.RegionalDomainName>",
        "HostedZoneId": f"<{domain}.RegionalHostedZoneId>",
    }


def test_the_domain_of_a_private_api_is_private_too(stack: Stack) -> None:
    front_door = make_front_door(
        stack, domain=Domain("llm.example.com", certificate(stack)), vpc_endpoints=[vpc_endpoint(stack)]
    )
    rendered = template(front_door)
    domain = only(rendered, "ApiGateway::DomainNameV2")
    assert (domain["DomainName"], domain["EndpointConfiguration"]) == ("llm.example.com", {"Types": ["PRIVATE"]})
    assert domain["Policy"]["Statement"] == policy(rendered)
    (name,) = of_type(rendered, "ApiGateway::DomainNameV2")
    assert flat(only(rendered, "ApiGateway::BasePathMappingV2")["DomainNameArn"]) == f"<{name}.DomainNameArn>"
    access = only(rendered, "ApiGateway::DomainNameAccessAssociation")
    assert (access["AccessAssociationSource"], access["AccessAssociationSourceType"]) == ("vpce-1", "VPCE")
    assert front_door.url == "https://llm.example.com"


@pytest.mark.parametrize(
    "name", ["https://llm.example.com", "llm.example.com/v1", "LLM.example.com", "*.example.com", "llm", "", "a..b", 7]
)
def test_an_invalid_domain_name_is_rejected(stack: Stack, name: object) -> None:
    message = rejection(stack, domain=Domain(name, certificate(stack)))  # type: ignore[arg-type]
    assert f"domain.name={name!r}: must be a domain name. Write it like llm.example.com" in message


def test_a_certificate_of_another_region_or_of_another_type_is_rejected(stack: Stack) -> None:
    elsewhere = Domain("llm.example.com", certificate(stack, "us-east-1"))
    assert "must be in the Region of the API, eu-west-1. Use a certificate in eu-west-1." in rejection(
        stack, domain=elsewhere
    )
    plain = Domain("llm.example.com", "arn:…", hosted_zone="example.com")  # type: ignore[arg-type]
    message = rejection(stack, domain=plain)
    assert "domain.certificate='arn:…': must be a certificate of aws_certificatemanager, not str." in message
    assert "domain.hosted_zone='example.com': must be a hosted zone of aws_route53, not str." in message


def test_a_zone_that_does_not_contain_the_name_is_rejected(stack: Stack) -> None:
    domain = Domain("llm.example.com", certificate(stack), hosted_zone=zone(stack, "ample.com"))
    assert "domain.hosted_zone='ample.com': does not contain llm.example.com" in rejection(stack, domain=domain)


def test_a_record_for_a_private_api_is_rejected_as_it_would_point_nowhere(stack: Stack) -> None:
    domain = Domain("llm.example.com", certificate(stack), hosted_zone=zone(stack))
    message = rejection(stack, domain=domain, vpc_endpoints=[vpc_endpoint(stack)])
    assert "a private API has no public address that a record could point to" in message
    assert "create an alias record for the VPC endpoint" in message


def test_a_domain_name_known_only_at_deployment_is_accepted(stack: Stack) -> None:
    name = Token.as_string({"Fn::ImportValue": "Name"})
    front_door = make_front_door(stack, domain=Domain(name, certificate(stack), hosted_zone=zone(stack)))
    assert stack.resolve(front_door.url) == {"Fn::Join": ["", ["https://", {"Fn::ImportValue": "Name"}]]}


# Cross-origin requests


def test_the_function_gets_the_allowed_origins_and_answers_every_preflight_request(stack: Stack) -> None:
    rendered = template(
        make_front_door(stack, cors=Cors(allowed_origins=["https://app.example.com", "http://localhost:3000"]))
    )
    assert variables(rendered)["CORS_ORIGINS"] == '["https://app.example.com","http://localhost:3000"]'
    paths = {path for _, path in operations(rendered)}
    assert {path for method, path in operations(rendered) if method == "OPTIONS"} == paths
    assert not any(
        required_schemes(operation) for (method, _), operation in operations(rendered).items() if method == "OPTIONS"
    )
    assert all(
        required_schemes(operation) for (method, _), operation in operations(rendered).items() if method != "OPTIONS"
    )


def test_without_cors_there_are_no_preflight_operations_and_headers() -> None:
    assert "CORS_ORIGINS" not in variables(default())
    assert not [path for method, path in operations(default()) if method == "OPTIONS"]
    assert not [each for each in responses(default()).values() if "Access-Control" in json.dumps(each)]


@pytest.mark.parametrize(
    ("origins", "origin", "varies"),
    [
        (["*"], "'*'", False),
        (["https://app.example.com"], "'https://app.example.com'", True),
        (["https://a.example.com", "https://b.example.com"], "method.request.header.Origin", True),
    ],
)
def test_pages_of_allowed_origins_can_read_gateway_responses(origins: list[str], origin: str, varies: bool) -> None:
    for response in responses(template(make_front_door(cors=Cors(allowed_origins=origins)))).values():
        parameters = response["responseParameters"]
        assert parameters["gatewayresponse.header.Access-Control-Allow-Origin"] == origin
        assert parameters.get("gatewayresponse.header.Vary") == ("'Origin'" if varies else None)
        assert parameters["gatewayresponse.header.Access-Control-Expose-Headers"] == (
            "'x-request-id, request-id, Retry-After, x-should-retry, x-amzn-ErrorType'"
        )
        assert not [name for name in parameters if "Credentials" in name]


@pytest.mark.parametrize(
    "origin",
    ["app.example.com", "https://app.example.com/", "https://App.example.com", "https://", "null", "https://*.a.b", 7],
)
def test_an_origin_that_no_browser_sends_is_rejected(stack: Stack, origin: object) -> None:
    message = rejection(stack, cors=Cors(allowed_origins=[origin]))  # type: ignore[list-item]
    assert f"cors.allowed_origins={origin!r}: must be an origin: https://<host> or http://<host>" in message


def test_origins_that_are_not_a_list_or_redundant_are_rejected(stack: Stack) -> None:
    message = "must be a list of at least one origin"
    assert message in rejection(stack, cors=Cors(allowed_origins="https://app.example.com"))
    assert message in rejection(stack, cors=Cors(allowed_origins=[]))
    mixed = Cors(allowed_origins=["*", "https://app.example.com"])
    assert 'allows every origin, which makes the others redundant. Write ["*"].' in rejection(stack, cors=mixed)


def test_an_origin_known_only_at_deployment_is_accepted(stack: Stack) -> None:
    origin = Token.as_string({"Fn::ImportValue": "Origin"})
    rendered = template(make_front_door(stack, cors=Cors(allowed_origins=[origin, "https://app.example.com"])))
    environment = function(rendered)["Environment"]["Variables"]
    assert "Fn::ImportValue" in json.dumps(environment["CORS_ORIGINS"])


# Combinations


def test_all_arguments_can_be_combined(stack: Stack) -> None:
    front_door = make_front_door(
        stack,
        access=Access.jwt(issuer="https://login.example.com", audience="web"),
        vpc_endpoints=[vpc_endpoint(stack)],
        resource_policy=iam.PolicyDocument(),
        web_acl=WebAcl.managed(),
        domain=Domain("llm.example.com", certificate(stack)),
        cors=Cors(allowed_origins=["https://app.example.com"]),
        playground=True,
        streaming=False,
    )
    rendered = template(front_door)
    assert len(properties(rendered, "ApiGateway::RestApi")) == 1
    assert required_schemes(operations(rendered)["ANY", "/generate"]) == ["BearerToken"]
    assert required_schemes(operations(rendered)["OPTIONS", "/generate"]) == []
    assert required_schemes(operations(rendered)["GET", "/"]) == []


def test_all_problems_of_the_exposure_are_reported_together(stack: Stack) -> None:
    message = rejection(
        stack,
        vpc_endpoints=[],
        web_acl=WebAcl.from_arn("x"),
        domain=Domain("x", certificate(stack)),
        cors=Cors(allowed_origins=[]),
        access=Access.jwt(issuer="x", audience=[]),
    )
    assert message.startswith("Stack/FrontDoor: 6 problems")
