"""Where credentials and the Region come from, and what is said if they are missing or AWS does not take them."""

import socket
import sys

import pytest

from constructs_lib.cli.aws_session import NoAccountError, aws_errors, open_session
from constructs_lib.cli.errors import CommandError, PackageMissingError
from constructs_lib.cli.exit_status import ExitStatus
from tests.constructs_lib.cli.refusing_aws import answering, refusing_aws

LOG_IN = "Log in: aws sso login, aws login or aws configure; or name a profile with --profile or AWS_PROFILE."


@pytest.fixture(autouse=True)
def account(monkeypatch, tmp_path):
    """Credentials and a Region in the environment, and none elsewhere."""
    for name in ("AWS_PROFILE", "AWS_DEFAULT_PROFILE", "AWS_REGION", "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    values = {
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "testing",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_CONFIG_FILE": str(tmp_path / "config"),
        "AWS_SHARED_CREDENTIALS_FILE": str(tmp_path / "credentials"),
        "no_proxy": "127.0.0.1",
    }
    for name, value in values.items():
        monkeypatch.setenv(name, value)
    return tmp_path


def words(error: pytest.ExceptionInfo[CommandError]) -> list[str]:
    return [f"{problem.message}. {problem.fix}" for problem in error.value.problems]


def test_the_region_is_the_options_then_that_of_the_aws_clis_variable(monkeypatch):
    assert open_session("doctor").region == "us-east-1"
    monkeypatch.setenv("AWS_REGION", "eu-west-1")
    assert open_session("doctor").region == "eu-west-1"
    session = open_session("doctor", region="eu-central-1")
    assert session.region == session.client("sagemaker").meta.region_name == "eu-central-1"


def test_a_profile_has_its_own_credentials_and_region(account, monkeypatch):
    (account / "config").write_text(
        "[profile team]\nregion = eu-north-1\naws_access_key_id = a\naws_secret_access_key = b\n"
    )
    monkeypatch.delenv("AWS_DEFAULT_REGION")
    session = open_session("doctor", profile="team")
    assert (session.region, session.boto3.get_credentials().access_key) == ("eu-north-1", "a")


def test_missing_credentials_and_a_missing_region_are_said_together(monkeypatch):
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_DEFAULT_REGION"):
        monkeypatch.delenv(name)
    with pytest.raises(NoAccountError) as error:
        open_session("doctor")
    assert error.value.status == ExitStatus.NO_ACCOUNT == 3
    assert words(error) == [
        "there is no Region. Give --region, such as --region us-east-1, or set AWS_REGION.",
        f"there are no credentials. {LOG_IN}",
    ]


@pytest.mark.parametrize("given", ["option", "variable"])
def test_a_profile_that_does_not_exist_names_those_that_do(account, monkeypatch, given):
    (account / "config").write_text("[profile team]\nregion = eu-north-1\n[profile other]\n")
    if given == "variable":
        monkeypatch.setenv("AWS_PROFILE", "taem")
    with pytest.raises(NoAccountError) as error:
        open_session("doctor", profile="taem" if given == "option" else None)
    problem = error.value.problems[0]
    assert (problem.keyword, problem.value) == ("--profile" if given == "option" else "AWS_PROFILE", "taem")
    assert words(error) == ["does not exist. Did you mean team?"]


def test_a_login_that_has_ended_and_half_a_key_are_missing_credentials(account, monkeypatch):
    (account / "config").write_text(
        "[profile sso]\nregion = eu-north-1\nsso_session = s\nsso_account_id = 123456789012\nsso_role_name = r\n"
        "[sso-session s]\nsso_region = eu-north-1\nsso_start_url = https://example.awsapps.com/start\n"
    )
    with pytest.raises(NoAccountError) as error:
        open_session("doctor", profile="sso")
    assert words(error)[0].startswith("there are no usable credentials: ")
    assert words(error)[0].endswith(LOG_IN)
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    with pytest.raises(NoAccountError, match="there are no usable credentials: Partial credentials found in env"):
        open_session("doctor")


@pytest.mark.parametrize(
    ("code", "message", "said"),
    [
        ("ExpiredTokenException", "x", f"the credentials have expired (ExpiredTokenException). {LOG_IN}"),
        ("ExpiredToken", "x", f"the credentials have expired (ExpiredToken). {LOG_IN}"),
        (
            "RequestTimeTooSkewed",
            "x",
            "AWS refuses the time of the request (RequestTimeTooSkewed). Set this machine's clock.",
        ),
        (
            "InvalidSignatureException",
            "Signature expired: 20261130T071600Z is now earlier than",
            "AWS refuses the time of the request (InvalidSignatureException). Set this machine's clock.",
        ),
        (
            "UnrecognizedClientException",
            "The security token included in the request is invalid.",
            (
                "AWS does not accept the credentials: UnrecognizedClientException: The security token included in the"
                f" request is invalid. {LOG_IN} They may also be of another partition, or the Region may not be enabled"
                " in the account."
            ),
        ),
    ],
)
def test_credentials_that_aws_does_not_accept_have_status_3_and_the_fix(monkeypatch, code, message, said):
    with refusing_aws(code, message) as url:
        monkeypatch.setenv("AWS_ENDPOINT_URL", url)
        for service, call in (("cloudformation", "describe_stacks"), ("sagemaker", "list_endpoints")):
            with pytest.raises(NoAccountError) as error, aws_errors("read it"):
                getattr(open_session("doctor").client(service), call)()
            assert error.value.status == 3
            assert words(error) == [said]


def test_a_call_that_is_denied_is_no_matter_of_credentials(monkeypatch):
    with refusing_aws("AccessDenied", "User: me is not authorized to perform: cloudformation:DescribeStacks") as url:
        monkeypatch.setenv("AWS_ENDPOINT_URL", url)
        with pytest.raises(CommandError) as error, aws_errors("read the stack Chat"):
            open_session("doctor").client("cloudformation").describe_stacks(StackName="Chat")
    assert error.value.status == 1
    assert words(error) == [
        (
            "AWS does not read the stack Chat: AccessDenied: User: me is not authorized to perform:"
            " cloudformation:DescribeStacks. "
        )
    ]


@pytest.mark.parametrize("fault", ["refused", "silent"])
def test_a_network_that_is_gone_is_said_in_time(monkeypatch, fault):
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        if fault == "silent":
            listener.listen()
        monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{listener.getsockname()[1]}")
        client = open_session("doctor").client("cloudformation", read_seconds=0.2, tries=1)
        with pytest.raises(CommandError) as error, aws_errors("read the stack Chat"):
            client.describe_stacks(StackName="Chat")
    assert error.value.status == 1
    assert words(error)[0].startswith("AWS cannot be reached to read the stack Chat: ")
    assert words(error)[0].endswith("Check the network, the proxy (HTTPS_PROXY) and the Region.")


def test_an_endpoint_url_that_is_none_is_said(monkeypatch):
    monkeypatch.setenv("AWS_ENDPOINT_URL", "nonsense")
    with pytest.raises(CommandError, match="sagemaker cannot be called: Invalid endpoint: nonsense"):
        open_session("doctor").client("sagemaker")


def test_without_boto3_it_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "boto3.session", None)
    with pytest.raises(PackageMissingError) as error:
        open_session("doctor")
    assert error.value.status == ExitStatus.USAGE == 2
    assert words(error) == ["requires boto3. Install it: pip install 'tgi-endpoint-cdk[aws]'."]


@pytest.mark.parametrize("command", [(), ("plan",), ("models",), ("models", "add"), ("instances",), ("stage",)])
def test_help_says_what_each_exit_status_means(run, capsys, command):
    with pytest.raises(SystemExit):
        run(*command, "--help")
    shown = capsys.readouterr().out
    assert shown.count("exit status: 0 ") == 1
    assert ("3 no credentials or Region" in shown) == (command in ((), ("stage",)))


@pytest.mark.parametrize("body", [b"<html>log in</html>", b"", b"[1]", b"\xff\xfe"])
@pytest.mark.parametrize("command", [("doctor", "Chat"), ("chat", "--stack", "Chat", "Hi")])
def test_what_is_not_aws_is_said(run, monkeypatch, command, body):
    with answering(body) as url:
        monkeypatch.setenv("AWS_ENDPOINT_URL", url)
        outcome = run(*command)
    assert outcome.status == 1
    assert "AWS cannot be reached to read" in outcome.err
    assert "what answers is not AWS" in outcome.err
