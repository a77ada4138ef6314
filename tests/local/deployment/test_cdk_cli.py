"""The real CDK CLI deploys every resource type of a front door."""

import asyncio
import copy
import json
from pathlib import Path
from typing import Any

import pytest

from local.deployment.cdk_cli import Cdk
from local.deployment.control_plane import ACCOUNT, REGION
from local.deployment.deployed_stack import read_deployment
from local.deployment.prerequisites import create_secrets
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
                "MetricName": "door",
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
            "GroupDescription": "door",
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
        "Alias": {"Value": {"Fn::GetAtt": ["Domain", "RegionalDomainName"]}, "Export": {"Name": "door:alias"}},
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
