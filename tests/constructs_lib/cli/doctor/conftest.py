"""An account of moto's for each test, and answers for what moto does not have."""

from __future__ import annotations

import botocore.client
import pytest
from botocore.exceptions import ClientError
from moto import mock_aws
from moto.sagemaker.models import FakeEndpointConfig

from constructs_lib.cli.aws_session import AwsSession
from tests.constructs_lib.cli import published_moto
from tests.constructs_lib.cli.doctor.account import REGION, Account, client, nothing_of_moto


@pytest.fixture
def answers():
    """The answers of operations by name, in place of moto's; an exception is raised."""
    return nothing_of_moto()


@pytest.fixture
def aws(monkeypatch, tmp_path, answers):
    """An empty account."""
    for name in ("AWS_PROFILE", "AWS_REGION", "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    for name, value in {
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "testing",
        "AWS_DEFAULT_REGION": REGION,
        "AWS_CONFIG_FILE": str(tmp_path / "config"),
        "AWS_SHARED_CREDENTIALS_FILE": str(tmp_path / "credentials"),
    }.items():
        monkeypatch.setenv(name, value)
    real = botocore.client.BaseClient._make_api_call
    calls = []

    def call(client, operation, parameters):
        calls.append(operation)
        if operation in answers:
            answer = answers[operation](parameters)
            if isinstance(answer, Exception):
                raise answer
            if answer is not None:
                return answer
        return real(client, operation, parameters)

    published_moto.restore(monkeypatch)
    # moto's list of instance types ends at ml.g4dn.
    monkeypatch.setattr(FakeEndpointConfig, "validate_instance_type", lambda *_: None)
    # moto keeps what it mocks for clients that exist already.
    monkeypatch.setattr(AwsSession, "client", lambda self, service, **_: client(service))
    with mock_aws():
        monkeypatch.setattr(botocore.client.BaseClient, "_make_api_call", call)
        yield calls


@pytest.fixture
def account(aws):
    """The account with a stack in which nothing is wrong."""
    return Account()


def refusal(code: str, operation: str = "x", message: str = "User is not authorized to perform it") -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": message}}, operation)
