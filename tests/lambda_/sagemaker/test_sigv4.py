"""The signatures of requests, compared with botocore's."""

import datetime
from unittest import mock

import botocore.auth
import botocore.awsrequest
import botocore.credentials
from front_door.sagemaker.sigv4 import Credentials, sign
from hypothesis import given
from hypothesis import strategies as st

PRINTABLE = st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E))
CREDENTIALS = st.builds(
    Credentials, st.text("AKI3", min_size=1), PRINTABLE.filter(bool), st.none() | st.text("tok/+=1")
)
HEADERS = st.dictionaries(
    st.sampled_from(["Accept", "Content-Type", "X-Amz-Target", "X-Amzn-SageMaker-Inference-Id"]), PRINTABLE
)
TIMES = st.integers(0, 4_000_000_000)


def sign_with_botocore(
    credentials: Credentials, host: str, path: str, headers: dict[str, str], body: bytes, now: int
) -> dict[str, str]:
    request = botocore.awsrequest.AWSRequest("POST", f"https://{host}{path}", headers, body)
    at = datetime.datetime.fromtimestamp(now, datetime.UTC)
    theirs = botocore.credentials.ReadOnlyCredentials(*credentials)
    with mock.patch("botocore.auth.get_current_datetime", return_value=at):
        botocore.auth.SigV4Auth(theirs, "sagemaker", "eu-west-1").add_auth(request)
    return dict(request.headers.items())


@given(
    CREDENTIALS,
    st.sampled_from(["runtime.sagemaker.eu-west-1.amazonaws.com", "127.0.0.1:4566"]),
    st.sampled_from(["/", "/endpoints/llama-3/invocations"]),
    HEADERS,
    st.binary(),
    TIMES,
)
def test_headers_equal_those_that_botocore_signs(
    credentials: Credentials, host: str, path: str, headers: dict[str, str], body: bytes, now: int
) -> None:
    ours = sign(credentials, "eu-west-1", host, path, headers, body, now=now)
    assert ours == sign_with_botocore(credentials, host, path, headers, body, now)


def test_the_given_headers_stay_as_they_are() -> None:
    headers = {"Accept": "application/json"}
    sign(Credentials("AKID", "secret", None), "eu-west-1", "host", "/", headers, b"", now=0)
    assert headers == {"Accept": "application/json"}
