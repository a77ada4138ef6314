"""The key and the network of a front door's functions: arguments, template, warnings, and what each role may do."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from aws_cdk import App, Duration, Environment, Stack, Token
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_kms as kms
from aws_cdk import aws_logs as logs

from constructs_lib import Access, Fallback, FrontDoor, InstanceType, Mirror, Model, TgiEndpoint, WebAcl
from constructs_lib.errors import ConfigurationError
from tests.constructs_lib.front_door.doubles import (
    Json,
    default,
    endpoint,
    flat,
    make_front_door,
    of_type,
    properties,
    statements,
    template,
    warnings,
)

KEY = "arn:aws:kms:eu-west-1:111122223333:key/0f0f"
ISOLATED, EGRESS = ec2.SubnetType.PRIVATE_ISOLATED, ec2.SubnetType.PRIVATE_WITH_EGRESS
INTERFACES = [
    "ec2:AssignPrivateIpAddresses",
    "ec2:CreateNetworkInterface",
    "ec2:DeleteNetworkInterface",
    "ec2:DescribeNetworkInterfaces",
    "ec2:DescribeSubnets",
    "ec2:UnassignPrivateIpAddresses",
]


@pytest.fixture
def stack() -> Stack:
    return Stack(App(), "Stack", env=Environment(account="111122223333", region="eu-west-1"))


def own_vpc(stack: Stack, kind: ec2.SubnetType = ISOLATED, **arguments: Any) -> ec2.Vpc:
    public = [ec2.SubnetConfiguration(name="Public", subnet_type=ec2.SubnetType.PUBLIC)] if kind is EGRESS else []
    own = ec2.SubnetConfiguration(name="Own", subnet_type=kind)
    return ec2.Vpc(stack, "Vpc", max_azs=2, subnet_configuration=[*public, own], **arguments)


def imported_vpc(stack: Stack, **arguments: Any) -> ec2.IVpc:
    return ec2.Vpc.from_vpc_attributes(
        stack, "Vpc", vpc_id="vpc-1", availability_zones=["eu-west-1a", "eu-west-1b"], **arguments
    )


def rejection(stack: Stack, **arguments: Any) -> str:
    with pytest.raises(ConfigurationError) as error:
        make_front_door(stack, **arguments)
    assert stack.node.try_find_child("FrontDoor") is None
    return str(error.value)


def functions(rendered: Json) -> dict[str, Json]:
    """The functions by the first word of their handlers, the second one of a Mirror as `mirror`."""
    found = properties(rendered, "Lambda::Function")
    return {
        "mirror" if one["Description"].startswith("Sends copies") else one["Handler"].partition(".")[0]: one
        for one in found
    }


def everything(stack: Stack) -> Json:
    """A front door with every function that there is, a key and a VPC."""
    vpc, key = own_vpc(stack), kms.Key(stack, "Key", enable_key_rotation=True)
    llama = TgiEndpoint(
        stack, "Llama", model=Model.from_hub("Qwen/Qwen2.5-7B-Instruct"), instance_type=InstanceType.G5_2XLARGE
    )
    front_door = make_front_door(
        stack,
        models={"llama": Mirror(llama, to=endpoint(stack), percent=5)},
        encryption_key=key,
        vpc=vpc,
        service_endpoints=True,
        reserved_concurrency=150,
        execution_logging=True,
    )
    front_door.add_smoke_test()
    return template(front_door)


def test_every_log_and_every_environment_is_encrypted_with_the_key(stack: Stack) -> None:
    rendered = everything(stack)
    groups = properties(rendered, "Logs::LogGroup")
    assert len(groups) == 6
    assert {flat(group.get("KmsKeyId")) for group in groups} == {"<Key961B73FD.Arn>"}
    with_variables = [one for one in functions(rendered).values() if "Environment" in one]
    assert {flat(one.get("KmsKeyArn")) for one in with_variables} == {"<Key961B73FD.Arn>"}


def test_the_functions_are_in_the_vpc_and_that_of_the_smoke_test_is_not(stack: Stack) -> None:
    found = functions(everything(stack))
    assert {name for name, one in found.items() if "VpcConfig" in one} == {
        "front_door",
        "mirror",
        "api_key_authorizer",
    }
    assert "VpcConfig" not in found["smoke_test"]
    networks = [one["VpcConfig"] for one in found.values() if "VpcConfig" in one]
    assert [len(one["SubnetIds"]) for one in networks] == [2, 2, 2]
    assert all(network == networks[0] for network in networks)


def test_the_security_group_lets_nothing_in_and_https_out(stack: Stack) -> None:
    groups = of_type(everything(stack), "EC2::SecurityGroup")
    (group,) = (one["Properties"] for name, one in groups.items() if name.startswith("FrontDoorNetworkSecurityGroup"))
    assert "SecurityGroupIngress" not in group
    (rule,) = group["SecurityGroupEgress"]
    assert (rule["IpProtocol"], rule["FromPort"], rule["ToPort"], rule["CidrIp"]) == ("tcp", 443, 443, "0.0.0.0/0")


def test_the_service_endpoints_are_those_that_the_functions_call(stack: Stack) -> None:
    found = properties(everything(stack), "EC2::VPCEndpoint")
    assert sorted(one["ServiceName"] for one in found) == [
        "com.amazonaws.eu-west-1.lambda",
        "com.amazonaws.eu-west-1.sagemaker.api",
        "com.amazonaws.eu-west-1.sagemaker.runtime",
    ]
    assert {(one["VpcEndpointType"], one["PrivateDnsEnabled"], len(one["SubnetIds"])) for one in found} == {
        ("Interface", True, 2)
    }


def test_what_calls_the_services_waits_for_their_endpoints(stack: Stack) -> None:
    rendered = everything(stack)
    created = set(of_type(rendered, "EC2::VPCEndpoint"))
    waiting = {
        name: created & set(one["DependsOn"]) == created
        for name, one in of_type(rendered, "Lambda::Function").items()
        if "VpcConfig" in one["Properties"] and "api_key_authorizer" not in one["Properties"]["Handler"]
    }
    assert list(waiting.values()) == [True, True]


def test_endpoints_that_the_app_has_in_the_vpc_are_not_created_again(stack: Stack) -> None:
    vpc = own_vpc(stack)
    vpc.add_interface_endpoint("Runtime", service=ec2.InterfaceVpcEndpointAwsService.SAGEMAKER_RUNTIME)
    other = Stack(stack.node.root, "Other", env=Environment(account="111122223333", region="eu-west-1"))
    FrontDoor(other, "First", models={"llama": endpoint(other)}, vpc=vpc, service_endpoints=True)
    second = make_front_door(stack, vpc=vpc, cloud_watch_role=False)
    assert "functionRouteUnknown" not in str(warnings(second))
    created = [
        one["ServiceName"]
        for artifact in stack.node.root.synth().stacks  # type: ignore[attr-defined]
        for one in properties(artifact.template, "EC2::VPCEndpoint")
    ]
    assert sorted(created) == ["com.amazonaws.eu-west-1.sagemaker.api", "com.amazonaws.eu-west-1.sagemaker.runtime"]


def test_an_endpoint_has_one_subnet_of_each_zone(stack: Stack) -> None:
    vpc = imported_vpc(
        stack,
        isolated_subnet_ids=["subnet-1", "subnet-2", "subnet-3", "subnet-4"],
        isolated_subnet_names=["One", "Two"],
    )
    rendered = template(make_front_door(stack, vpc=vpc, service_endpoints=True))
    assert [one["SubnetIds"] for one in properties(rendered, "EC2::VPCEndpoint")] == [["subnet-1", "subnet-2"]] * 2
    assert len(functions(rendered)["front_door"]["VpcConfig"]["SubnetIds"]) == 4
    # Its addresses are not known, so that only the functions are let in.
    assert all("SecurityGroupIngress" not in one for one in properties(rendered, "EC2::SecurityGroup"))
    assert [one["FromPort"] for one in properties(rendered, "EC2::SecurityGroupIngress")] == [443]


def network_statements(rendered: Json) -> Iterator[Json]:
    for statement in statements(rendered):
        actions = statement["Action"] if isinstance(statement["Action"], list) else [statement["Action"]]
        if any(action.startswith("ec2:") for action in actions):
            yield {**statement, "Action": actions}


def test_a_role_may_create_interfaces_of_these_subnets_and_groups_alone(stack: Stack) -> None:
    vpc = imported_vpc(stack, private_subnet_ids=["subnet-1", "subnet-2"])
    group = ec2.SecurityGroup.from_security_group_id(stack, "Group", "sg-1")
    rendered = template(make_front_door(stack, vpc=vpc, security_groups=[group], access=Access.public()))
    create, manage, deny = network_statements(rendered)
    assert create["Action"] == ["ec2:CreateNetworkInterface"]
    assert [flat(one).replace("<AWS::Partition>", "aws") for one in create["Resource"]] == [
        "arn:aws:ec2:eu-west-1:111122223333:network-interface/*",
        "arn:aws:ec2:eu-west-1:*:security-group/sg-1",
        "arn:aws:ec2:eu-west-1:*:subnet/subnet-1",
        "arn:aws:ec2:eu-west-1:*:subnet/subnet-2",
    ]
    assert (manage["Effect"], manage["Resource"]) == ("Allow", "*")
    assert manage["Action"] == [action for action in INTERFACES if action != "ec2:CreateNetworkInterface"]
    assert deny["Effect"] == "Deny"
    assert deny["Action"] == INTERFACES
    (condition,) = deny["Condition"].items()
    assert condition[0] == "ArnLike"
    assert {key: flat(value) for key, value in condition[1].items()} == {
        "lambda:SourceFunctionArn": "arn:<AWS::Partition>:lambda:eu-west-1:111122223333:function:*"
    }


def test_no_function_has_a_policy_of_aws(stack: Stack) -> None:
    assert all("ManagedPolicyArns" not in role for role in properties(everything(stack), "IAM::Role"))


def test_no_function_is_created_before_its_role_may_manage_its_network_interfaces(stack: Stack) -> None:
    rendered = everything(stack)
    in_vpc = {name: one for name, one in of_type(rendered, "Lambda::Function").items() if "VpcConfig" in str(one)}
    assert len(in_vpc) > 2
    for name, one in in_vpc.items():
        role = of_type(rendered, "IAM::Role")[one["Properties"]["Role"]["Fn::GetAtt"][0]]
        is_inline = "ec2:CreateNetworkInterface" in str(role["Properties"].get("Policies"))
        assert is_inline or any("DefaultPolicy" in waited for waited in one["DependsOn"]), name


def test_roles_may_decrypt_environments_and_nothing_else(stack: Stack) -> None:
    rendered = everything(stack)
    found = [one for one in statements(rendered) if "kms:" in str(one["Action"])]
    assert len(found) == 3
    for one in found:
        assert one["Action"] in ("kms:Decrypt", ["kms:Decrypt"])
        assert flat(one["Resource"]) == "<Key961B73FD.Arn>"
        (context,) = one["Condition"]["StringLike"].items()
        assert (context[0], flat(context[1])) == (
            "kms:EncryptionContext:aws:lambda:FunctionArn",
            "arn:<AWS::Partition>:lambda:eu-west-1:111122223333:function:*",
        )


def test_the_policy_of_a_key_of_the_app_allows_the_logs_once(stack: Stack) -> None:
    key = kms.Key(stack, "Key")
    make_front_door(stack, encryption_key=key)
    second = FrontDoor(stack, "Second", models={"a": endpoint(stack, "a")}, encryption_key=key, cloud_watch_role=False)
    rendered = template(second)
    (policy,) = (one["KeyPolicy"]["Statement"] for one in properties(rendered, "KMS::Key"))
    _, logs_statement = policy
    assert flat(logs_statement["Principal"]["Service"]) == "logs.eu-west-1.<AWS::URLSuffix>"
    assert logs_statement["Action"] == [
        "kms:Decrypt",
        "kms:DescribeKey",
        "kms:Encrypt",
        "kms:GenerateDataKey",
        "kms:GenerateDataKeyWithoutPlaintext",
        "kms:ReEncryptFrom",
        "kms:ReEncryptTo",
    ]
    (context,) = logs_statement["Condition"]["ArnLike"].items()
    assert (context[0], flat(context[1])) == (
        "kms:EncryptionContext:aws:logs:arn",
        "arn:<AWS::Partition>:logs:eu-west-1:111122223333:log-group:*",
    )
    assert "keyPolicyUnknown" not in str(warnings(second))


def test_a_warning_has_the_statement_that_an_imported_key_needs(stack: Stack) -> None:
    front_door = make_front_door(stack, encryption_key=kms.Key.from_key_arn(stack, "Key", KEY))
    (warning,) = (one for one in warnings(front_door) if "keyPolicyUnknown" in one)
    assert '"Service": {"Fn::Join": ["", ["logs.eu-west-1.", {"Ref": "AWS::URLSuffix"}]]}' in warning
    assert '"kms:EncryptionContext:aws:logs:arn"' in warning
    assert {flat(one["KmsKeyId"]) for one in properties(template(front_door), "Logs::LogGroup")} == {KEY}


def test_an_alias_is_refused_as_logs_take_a_key(stack: Stack) -> None:
    alias = kms.Alias.from_alias_name(stack, "Alias", "alias/mine")
    assert "is an alias, and CloudWatch Logs takes the ARN of a key" in rejection(stack, encryption_key=alias)


def test_a_front_door_in_isolated_subnets_needs_a_way_to_sagemaker(stack: Stack) -> None:
    found = rejection(stack, vpc=own_vpc(stack), access=Access.jwt(issuer="https://id.example.com", audience="llm"))
    assert "2 problems" in found
    assert "their VPC has no endpoint for sagemaker.api and sagemaker.runtime" in found
    assert "Access.jwt(…) fetches the issuer's keys from there" in found


def test_an_endpoint_of_another_region_is_out_of_reach_of_isolated_subnets(stack: Stack) -> None:
    there = Stack(stack.node.root, "There", env=Environment(account="111122223333", region="us-east-1"))
    far = TgiEndpoint.from_endpoint_name(there, "Far", "far")
    found = rejection(
        stack, models={"llama": Fallback([endpoint(stack), far])}, vpc=own_vpc(stack), service_endpoints=True
    )
    assert "but there are model endpoints in us-east-1" in found


def test_the_table_of_consumers_with_limits_has_the_key_and_a_gateway_endpoint(stack: Stack) -> None:
    key = kms.Key(stack, "Key")
    front_door = make_front_door(stack, vpc=own_vpc(stack), service_endpoints=True, encryption_key=key)
    for name in ("team-a", "team-b"):
        front_door.add_consumer(name, tokens_per_day=100_000)
    rendered = template(front_door)
    (table,) = properties(rendered, "DynamoDB::Table")
    assert flat(table["SSESpecification"]["KMSMasterKeyId"]) == "<Key961B73FD.Arn>"
    (gateway,) = (one for one in properties(rendered, "EC2::VPCEndpoint") if one["VpcEndpointType"] == "Gateway")
    assert flat(gateway["ServiceName"]) == "com.amazonaws.<AWS::Region>.dynamodb"
    assert len(gateway["RouteTableIds"]) == 2
    assert "functionRouteUnknown" not in str(warnings(front_door))


def test_limits_of_consumers_need_a_way_to_dynamodb(stack: Stack) -> None:
    vpc = own_vpc(stack)
    for service in ("SAGEMAKER_RUNTIME", "SAGEMAKER_API"):
        vpc.add_interface_endpoint(service, service=getattr(ec2.InterfaceVpcEndpointAwsService, service))
    front_door = make_front_door(stack, vpc=vpc)
    front_door.add_consumer("team-a")
    with pytest.raises(ConfigurationError, match="their VPC has no endpoint for dynamodb, which the functions call"):
        front_door.add_consumer("team-b", tokens_per_day=100_000)
    vpc.add_gateway_endpoint("Dynamodb", service=ec2.GatewayVpcEndpointAwsService.DYNAMODB)
    front_door.add_consumer("team-b", tokens_per_day=100_000)
    assert "functionRouteUnknown" not in str(warnings(front_door))


def test_a_gateway_endpoint_needs_route_tables_that_are_known(stack: Stack) -> None:
    vpc = imported_vpc(stack, isolated_subnet_ids=["subnet-1", "subnet-2"])
    by_id = ec2.SubnetSelection(subnets=[ec2.Subnet.from_subnet_id(stack, "Subnet", "subnet-1")])
    front_door = make_front_door(stack, vpc=vpc, vpc_subnets=by_id, service_endpoints=True)
    with pytest.raises(ConfigurationError, match="as the CDK does not know the route tables of the subnets"):
        front_door.add_consumer("team-a", tokens_per_day=100_000)


def test_an_unknown_way_to_dynamodb_is_a_warning_as_soon_as_a_consumer_has_limits(stack: Stack) -> None:
    vpc = imported_vpc(stack, isolated_subnet_ids=["subnet-1", "subnet-2"])
    front_door = make_front_door(stack, vpc=vpc)
    front_door.add_consumer("team-a", concurrent_streams=2)
    assert "call dynamodb, and whether" in str(warnings(front_door))


def test_subnets_with_a_nat_gateway_need_no_endpoint(stack: Stack) -> None:
    front_door = make_front_door(stack, vpc=own_vpc(stack, EGRESS))
    assert "functionRouteUnknown" not in str(warnings(front_door))
    assert properties(template(front_door), "EC2::VPCEndpoint") == []


def test_what_an_imported_vpc_has_is_a_warning(stack: Stack) -> None:
    front_door = make_front_door(stack, vpc=imported_vpc(stack, isolated_subnet_ids=["subnet-1", "subnet-2"]))
    assert "functionRouteUnknown" in str(warnings(front_door))


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ({"encryption_key": KEY}, f"encryption_key={KEY!r}: must be a key of aws_kms, not str"),
        ({"vpc": "vpc-1"}, "vpc='vpc-1': must be a VPC of aws_ec2, not str"),
        ({"service_endpoints": True}, "service_endpoints=True: requires vpc. Set vpc as well"),
        ({"service_endpoints": "yes"}, "service_endpoints='yes': must be True or False"),
        ({"security_groups": []}, "security_groups=[]: requires vpc. Set vpc as well, or remove security_groups."),
        ({"vpc_subnets": ec2.SubnetSelection()}, "requires vpc. Set vpc as well, or remove vpc_subnets."),
        ({"reserved_concurrency": 0}, "reserved_concurrency=0: must be"),
        ({"reserved_concurrency": 2.5}, "reserved_concurrency=2.5: must be"),
        ({"reserved_concurrency": True}, "reserved_concurrency=True: must be"),
        ({"execution_logging": "ERROR"}, "execution_logging='ERROR': must be True or False"),
    ],
)
def test_wrong_arguments_are_problems_with_value_and_fix(
    stack: Stack, arguments: dict[str, Any], expected: str
) -> None:
    assert expected in re.sub(r"<aws_cdk[^>]*>", "…", rejection(stack, **arguments))


def test_all_problems_of_the_protection_are_reported_together(stack: Stack) -> None:
    found = rejection(stack, encryption_key="key", vpc="vpc", reserved_concurrency=0, execution_logging=1)
    assert found.startswith("Stack/FrontDoor: 4 problems")


@pytest.mark.parametrize(
    ("arguments", "warning"),
    [
        ({"reserved_concurrency": 99}, "tgi-endpoint:lowReservedConcurrency"),
        ({"reserved_concurrency": 100}, None),
        ({"reserved_concurrency": 10, "rate_limit": 5}, None),
        ({"reserved_concurrency": 1200, "rate_limit": 10, "timeout": Duration.minutes(1)}, "highReservedConcurrency"),
        ({"reserved_concurrency": 800, "rate_limit": 10, "timeout": Duration.minutes(1)}, None),
        ({"reserved_concurrency": Token.as_number({"Ref": "Reserved"})}, None),
    ],
)
def test_a_reserved_concurrency_that_does_not_fit_the_rate_is_a_warning(
    stack: Stack, arguments: dict[str, Any], warning: str | None
) -> None:
    found = [one for one in warnings(make_front_door(stack, **arguments)) if "ReservedConcurrency" in one]
    assert len(found) == (warning is not None)
    assert warning is None or warning in found[0]


def test_the_function_gets_the_reserved_concurrency_and_so_does_what_authorizes_its_callers(stack: Stack) -> None:
    rendered = template(make_front_door(stack, reserved_concurrency=150))
    assert {name: one.get("ReservedConcurrentExecutions") for name, one in functions(rendered).items()} == {
        "front_door": 150,
        "api_key_authorizer": 150,
    }


def test_execution_logs_are_errors_without_bodies_in_a_group_of_the_stack(stack: Stack) -> None:
    rendered = template(make_front_door(stack, execution_logging=True, log_retention=logs.RetentionDays.ONE_YEAR))
    (stage,) = of_type(rendered, "ApiGateway::Stage").values()
    (settings,) = stage["Properties"]["MethodSettings"]
    assert (settings["LoggingLevel"], settings["DataTraceEnabled"]) == ("ERROR", False)
    groups = of_type(rendered, "Logs::LogGroup")
    ((name, group),) = ((name, one) for name, one in groups.items() if "LogGroupName" in one["Properties"])
    (api,) = of_type(rendered, "ApiGateway::RestApi")
    assert flat(group["Properties"]["LogGroupName"]) == f"API-Gateway-Execution-Logs_<{api}>/prod"
    assert group["Properties"]["RetentionInDays"] == 365
    assert group["DeletionPolicy"] == "Delete"
    assert name in stage["DependsOn"]


def hardened(stack: Stack, **arguments: Any) -> Json:
    vpc = imported_vpc(stack, private_subnet_ids=["subnet-1", "subnet-2"])
    protected = {"encryption_key": kms.Key(stack, "Key"), "vpc": vpc, "hardened": True}
    return template(make_front_door(stack, **protected | arguments))


def test_a_hardened_front_door_has_other_defaults(stack: Stack) -> None:
    rendered = hardened(stack)
    assert functions(rendered)["front_door"]["ReservedConcurrentExecutions"] == 100
    assert {one["RetentionInDays"] for one in properties(rendered, "Logs::LogGroup")} == {365}
    (stage,) = properties(rendered, "ApiGateway::Stage")
    assert [one["LoggingLevel"] for one in stage["MethodSettings"]] == ["ERROR"]
    assert len(properties(rendered, "WAFv2::WebACLAssociation")) == 1


def test_what_a_hardened_front_door_is_given_stays(stack: Stack) -> None:
    arn = "arn:aws:wafv2:eu-west-1:111122223333:regional/webacl/mine/4ba8fce1-abcd-4717-9c34-11bfd24372ba"
    given = {"reserved_concurrency": 7, "rate_limit": 5, "log_retention": logs.RetentionDays.TWO_YEARS}
    rendered = hardened(stack, web_acl=WebAcl.from_arn(arn), **given)
    assert functions(rendered)["front_door"]["ReservedConcurrentExecutions"] == 7
    assert {one["RetentionInDays"] for one in properties(rendered, "Logs::LogGroup")} == {731}
    assert [one["WebACLArn"] for one in properties(rendered, "WAFv2::WebACLAssociation")] == [arn]


def test_a_hardened_front_door_names_at_once_what_it_lacks(stack: Stack) -> None:
    models = {"llama": endpoint(stack)}
    assert rejection(stack, models=models, hardened=True).endswith(
        "hardened=True: requires encryption_key and vpc. Set encryption_key and vpc as well, or remove hardened and"
        " set what you need of it."
    )
    key = kms.Key(stack, "Key")
    assert "hardened=True: requires vpc. Set vpc as well" in rejection(
        stack, models=models, hardened=True, encryption_key=key
    )
    vpc = imported_vpc(stack, private_subnet_ids=["subnet-1", "subnet-2"])
    protected = {"models": models, "encryption_key": key, "vpc": vpc}
    contradiction = rejection(stack, hardened=True, execution_logging=False, **protected)
    assert "execution_logging=False: contradicts hardened=True, which logs executions." in contradiction
    assert "hardened='yes': must be True or False" in rejection(stack, models=models, hardened="yes")


def test_without_them_nothing_of_it_is_in_the_template() -> None:
    text = str(default())
    for property_name in ("VpcConfig", "KmsKey", "ReservedConcurrentExecutions", "API-Gateway-Execution-Logs", "ec2:"):
        assert property_name not in text
    assert "'LoggingLevel': 'OFF'" in text
