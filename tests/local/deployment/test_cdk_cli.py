"""The CDK CLI: a deployment of every resource type of a front door, its environment and its errors."""

import asyncio
import copy
import json
import os
import sys
from pathlib import Path
from typing import Any

import pytest

from local.deployment.cdk_cli import NO_ENDPOINT, ROOT, Cdk, cli_environment, explain_failure, suggest_fix
from local.deployment.control_plane import ACCOUNT, REGION
from local.deployment.deployed_stack import read_deployment
from local.deployment.prerequisites import create_secrets
from local.errors import UserError
from local.processes import ChildProcesses
from tests.local.deployment.sample_stack import API, BUCKET, TEMPLATE, control_plane

pytestmark = pytest.mark.xdist_group("control_plane")

DOMAIN = {"Ref": "Domain"}
ENDPOINT_POLICY = {
    "Statement": [{"Effect": "Allow", "Principal": "*", "Action": "execute-api:Invoke", "Resource": "*"}]
}
STAGE_ARN = {"Fn::Sub": "arn:${AWS::Partition}:apigateway:${AWS::Region}::/restapis/${Api}/stages/${Stage}"}
# In addition to TEMPLATE: each resource type that an option of FrontDoor may add.
ADDITIONAL: dict[str, Any] = {
    "Acl": {
        "Type": "AWS::WAFv2::WebACL",
        "Properties": {
            "Scope": "REGIONAL",
            "DefaultAction": {"Allow": {}},
            "Rules": [],
            "VisibilityConfig": {
                "CloudWatchMetricsEnabled": True,
                "MetricName": "front-door",
                "SampledRequestsEnabled": False,
            },
        },
    },
    "AclAssociation": {
        "Type": "AWS::WAFv2::WebACLAssociation",
        "Properties": {"ResourceArn": STAGE_ARN, "WebACLArn": {"Fn::GetAtt": ["Acl", "Arn"]}},
    },
    "Certificate": {"Type": "AWS::CertificateManager::Certificate", "Properties": {"DomainName": "llm.example"}},
    "Domain": {
        "Type": "AWS::ApiGateway::DomainName",
        "Properties": {
            "DomainName": "llm.example",
            "EndpointConfiguration": {"Types": ["REGIONAL"]},
            "RegionalCertificateArn": {"Ref": "Certificate"},
        },
    },
    "Mapping": {
        "Type": "AWS::ApiGateway::BasePathMapping",
        "Properties": {"DomainName": DOMAIN, "RestApiId": API, "Stage": {"Ref": "Stage"}},
    },
    "Zone": {"Type": "AWS::Route53::HostedZone", "Properties": {"Name": "example."}},
    "Alias": {
        "Type": "AWS::Route53::RecordSet",
        "Properties": {
            "HostedZoneId": {"Ref": "Zone"},
            "Name": "llm.example.",
            "Type": "A",
            "AliasTarget": {
                "DNSName": {"Fn::GetAtt": ["Domain", "RegionalDomainName"]},
                "HostedZoneId": {"Fn::GetAtt": ["Domain", "RegionalHostedZoneId"]},
            },
        },
    },
    "AccessLog": {"Type": "AWS::Logs::LogGroup", "Properties": {"RetentionInDays": 90}},
    "Query": {
        "Type": "AWS::Logs::QueryDefinition",
        "Properties": {"Name": "slowest", "QueryString": "fields @timestamp", "LogGroupNames": [{"Ref": "AccessLog"}]},
    },
    "Pool": {"Type": "AWS::Cognito::UserPool", "Properties": {"UserPoolName": "people"}},
    "PoolClient": {"Type": "AWS::Cognito::UserPoolClient", "Properties": {"UserPoolId": {"Ref": "Pool"}}},
    "PoolDomain": {
        "Type": "AWS::Cognito::UserPoolDomain",
        "Properties": {"Domain": "people", "UserPoolId": {"Ref": "Pool"}},
    },
    "Vpc": {"Type": "AWS::EC2::VPC", "Properties": {"CidrBlock": "10.0.0.0/16", "EnableDnsSupport": True}},
    "Subnet": {"Type": "AWS::EC2::Subnet", "Properties": {"VpcId": {"Ref": "Vpc"}, "CidrBlock": "10.0.0.0/24"}},
    "Group": {
        "Type": "AWS::EC2::SecurityGroup",
        "Properties": {
            "GroupDescription": "front-door",
            "VpcId": {"Ref": "Vpc"},
            "SecurityGroupIngress": [{"CidrIp": "10.0.0.0/16", "IpProtocol": "tcp", "FromPort": 443, "ToPort": 443}],
        },
    },
    "VpcEndpoint": {
        "Type": "AWS::EC2::VPCEndpoint",
        "Properties": {
            "ServiceName": {"Fn::Sub": "com.amazonaws.${AWS::Region}.execute-api"},
            "VpcEndpointType": "Interface",
            "VpcId": {"Ref": "Vpc"},
            "SubnetIds": [{"Ref": "Subnet"}],
            "SecurityGroupIds": [{"Fn::GetAtt": ["Group", "GroupId"]}],
            "PrivateDnsEnabled": True,
        },
    },
    "Dashboard": {"Type": "AWS::CloudWatch::Dashboard", "Properties": {"DashboardBody": "{}"}},
    "Alarm": {
        "Type": "AWS::CloudWatch::Alarm",
        "Properties": {
            "ComparisonOperator": "GreaterThanThreshold",
            "EvaluationPeriods": 1,
            "MetricName": "ServerErrors",
            "Namespace": "TgiEndpoint/FrontDoor",
            "Period": 60,
            "Statistic": "Sum",
            "Threshold": 1,
        },
    },
}


def private_front_door() -> dict[str, Any]:
    template = copy.deepcopy(TEMPLATE)
    template["Resources"] |= ADDITIONAL
    template["Resources"]["Api"]["Properties"] |= {
        "EndpointConfiguration": {"Types": ["PRIVATE"], "VpcEndpointIds": [{"Ref": "VpcEndpoint"}]},
        "Policy": ENDPOINT_POLICY,
        "ApiKeySourceType": "AUTHORIZER",
    }
    template["Resources"]["Guard"]["Properties"]["Environment"]["Variables"] = {
        "ISSUER": {"Fn::GetAtt": ["Pool", "ProviderURL"]},
        "AUDIENCE": {"Ref": "PoolClient"},
    }
    template["Outputs"] |= {
        "AclArn": {"Value": {"Fn::GetAtt": ["Acl", "Arn"]}},
        "Alias": {"Value": {"Fn::GetAtt": ["Domain", "RegionalDomainName"]}, "Export": {"Name": "front-door:alias"}},
    }
    return template


def write_assembly(folder: Path, stacks: dict[str, dict[str, Any]]) -> None:
    """Writes a cloud assembly like `cdk synth`, with the templates as assets."""
    folder.mkdir()
    artifacts: dict[str, Any] = {}
    for name, template in stacks.items():
        file = f"{name}.json"
        (folder / file).write_text(json.dumps(template))
        destination = {"bucketName": BUCKET, "objectKey": file, "region": REGION}
        source = {"path": file, "packaging": "file"}
        files = {name: {"source": source, "destinations": {"current": destination}}}
        (folder / f"{name}.assets.json").write_text(json.dumps({"version": "36.0.0", "files": files}))
        artifacts[f"{name}.assets"] = {"type": "cdk:asset-manifest", "properties": {"file": f"{name}.assets.json"}}
        artifacts[name] = {
            "type": "aws:cloudformation:stack",
            "environment": f"aws://{ACCOUNT}/{REGION}",
            "properties": {"templateFile": file, "stackTemplateAssetObjectUrl": f"s3://{BUCKET}/{file}"},
            "dependencies": [f"{name}.assets"],
        }
    (folder / "manifest.json").write_text(json.dumps({"version": "36.0.0", "artifacts": artifacts}))


@pytest.mark.slow
def test_the_cdk_cli_deploys_every_resource_type_of_a_front_door(tmp_path: Path) -> None:
    other = {"Resources": {"Topic": {"Type": "AWS::SNS::Topic"}}}
    stacks = {"Door": private_front_door(), "Other": other}
    lines: list[str] = []

    async def deploy(url: str) -> None:
        async with ChildProcesses(tmp_path) as children:
            cdk = Cdk(children, tmp_path, url)
            write_assembly(cdk.assembly, stacks)
            await cdk.deploy(list(stacks), lines.append)

    with control_plane() as plane:
        create_secrets(plane, stacks)
        asyncio.run(deploy(plane.url))
        deployment = read_deployment(plane, list(stacks))
    assert {line.split()[1] for line in lines if line.strip().startswith("✅")} == set(stacks)
    assert (deployment.stack, len(deployment.functions), len(deployment.endpoints)) == ("Door", 2, 1)
    assert deployment.api.root.methods["POST"].integration.stream
    assert deployment.outputs["AclArn"] == f"arn:aws:wafv2:{REGION}:{ACCOUNT}:Acl"
    guard = next(entry for entry in deployment.functions.values() if entry.handler == "guard.handler")
    assert guard.environment == {
        "ISSUER": f"https://cognito-idp.{REGION}.amazonaws.com/Pool",
        "AUDIENCE": "PoolClient",
    }


@pytest.mark.slow
def test_the_cdk_cli_shows_why_a_resource_cannot_be_deployed(tmp_path: Path) -> None:
    async def deploy(url: str) -> None:
        async with ChildProcesses(tmp_path) as children:
            cdk = Cdk(children, tmp_path, url)
            write_assembly(cdk.assembly, {"Games": {"Resources": {"Fleet": {"Type": "AWS::GameLift::Fleet"}}}})
            await cdk.deploy(["Games"], lambda _line: None)

    with control_plane() as plane, pytest.raises(UserError) as caught:
        asyncio.run(deploy(plane.url))
    assert (
        "Fleet: the emulated cloud has no AWS::GameLift::Fleet. If the stack works without its behaviour, add the type"
        " to RECORDED in local/deployment/recorded_resources.py."
    ) in caught.value.problem


def test_the_cli_is_isolated_from_the_users_configuration(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_PROFILE", "AWS_ROLE_ARN", "AWS_CA_BUNDLE", "CDK_DEFAULT_ACCOUNT", "CDK_CONTEXT_JSON"):
        monkeypatch.setenv(name, "of-the-user")
    variables = cli_environment(tmp_path, "http://localhost:1")
    assert "of-the-user" not in variables.values()
    assert variables["AWS_ENDPOINT_URL"] == "http://localhost:1"
    assert variables["AWS_EC2_METADATA_DISABLED"] == "true"
    for name in ("HOME", "CDK_HOME", "AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE", "TMPDIR"):
        assert Path(variables[name]).is_relative_to(tmp_path)
    first, second = variables["PATH"].split(os.pathsep)[:2]
    assert (first, second) == (str(Path(sys.executable).parent), str(ROOT / "node_modules" / ".bin"))


def test_without_an_endpoint_the_account_that_other_commands_have_found_is_not_known(tmp_path: Path) -> None:
    offline, online = (cli_environment(tmp_path, url) for url in (NO_ENDPOINT, "http://localhost:1"))
    for name in ("HOME", "CDK_HOME"):
        assert Path(offline[name]).is_relative_to(tmp_path)
        assert offline[name] != online[name]


FAILURE = """\
Traceback (most recent call last):
  File "/clone/app.py", line 5, in <module>
    main()
    ^^^^^^
constructs_lib.errors.ConfigurationError: LlamaTgiStack/Endpoint has 2 problems:
  max_input_tokens=9000: must be less than max_total_tokens=4096.
  instance_type='ml.g5.3xlarge': no such instance.
python3 app.py: Subprocess exited with error 1
""".splitlines()


def test_an_error_of_the_app_is_shown_without_its_traceback() -> None:
    assert explain_failure("synth", 1, FAILURE).splitlines() == [
        "`cdk synth` failed with exit code 1:",
        "  constructs_lib.errors.ConfigurationError: LlamaTgiStack/Endpoint has 2 problems:",
        "    max_input_tokens=9000: must be less than max_total_tokens=4096.",
        "    instance_type='ml.g5.3xlarge': no such instance.",
    ]


def test_a_stack_for_another_account_or_region_is_an_error_that_names_both(tmp_path: Path) -> None:
    def check(environment: str, *stacks: str) -> None:
        app = Cdk(ChildProcesses(tmp_path), tmp_path)
        app.assembly.mkdir(exist_ok=True)
        artifact = {"type": "aws:cloudformation:stack", "environment": environment, "properties": {"stackName": "Chat"}}
        manifest = {"artifacts": {"Artifact": artifact, "Tree": {"type": "cdk:tree"}}}
        (app.assembly / "manifest.json").write_text(json.dumps(manifest))
        app.check_environment(stacks)

    check("aws://unknown-account/unknown-region", "Chat")
    check(f"aws://{ACCOUNT}/{REGION}", "Chat")
    check("aws://unknown-account/eu-central-1", "Other")
    for elsewhere in ("aws://unknown-account/eu-central-1", "aws://111122223333/us-east-1"):
        with pytest.raises(UserError) as caught:
            check(elsewhere, "Chat")
        assert caught.value.problem == f"Chat is for {elsewhere}; the emulated cloud is aws://{ACCOUNT}/{REGION}."
        assert caught.value.fix == (
            "Leave out the stack's env, or take it from CDK_DEFAULT_ACCOUNT and CDK_DEFAULT_REGION."
        )


def test_an_app_in_another_folder_finds_the_library_of_this_clone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "app.py").write_text("import constructs_lib, theirs\nraise SystemExit(constructs_lib.__file__)\n")
    (tmp_path / "cdk.json").write_text('{"app": "python3 app.py"}')
    theirs = tmp_path / "theirs"
    theirs.mkdir()
    (theirs / "theirs.py").touch()
    monkeypatch.setenv("PYTHONPATH", str(theirs))

    async def synth() -> None:
        folder = tmp_path / "session"
        folder.mkdir()
        async with ChildProcesses(folder) as children:
            await Cdk(children, folder, app=tmp_path).synth(lambda _: None)

    with pytest.raises(UserError, match=str(ROOT / "constructs_lib" / "__init__.py")):
        asyncio.run(synth())


@pytest.mark.parametrize(
    ("line", "fix"),
    [
        ("Maximum schema version supported is 43.x.x, but found 55.0.0", "Remove node_modules"),
        ("ModuleNotFoundError: No module named 'aws_cdk'", "Run the command through make"),
        ("something else", "Fix the error and run the command again."),
    ],
)
def test_an_error_comes_with_a_fix(line: str, fix: str) -> None:
    assert fix in suggest_fix([line])
