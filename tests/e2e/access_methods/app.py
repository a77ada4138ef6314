"""A stack for each access method of a front door, with imported endpoints."""

import os

from aws_cdk import App, Duration, Environment, Stack
from aws_cdk import aws_lambda as lambda_

from constructs_lib import Access, Cors, FrontDoor, TgiEndpoint

AUTHORIZER = """
def handler(event, context):
    token = event["authorizationToken"].removeprefix("Bearer ")
    if token == "nobody":
        raise Exception("Unauthorized")
    effect = "Deny" if token == "denied" else "Allow"
    api = "/".join(event["methodArn"].split("/")[:2]) + "/*"
    statement = {"Action": "execute-api:Invoke", "Effect": effect, "Resource": api}
    return {"principalId": token, "policyDocument": {"Version": "2012-10-17", "Statement": [statement]}}
"""


class FrontDoorStack(Stack):
    """A front door to two models."""

    def __init__(self, app, name, access, **options):
        super().__init__(app, name, env=Environment(account="123456789012", region="us-east-1"))
        models = {model: self._endpoint(model) for model in ("llama", "falcon")}
        method = access(self) if callable(access) else access
        self.front_door = FrontDoor(self, "Door", models=models, access=method, cloud_watch_role=False, **options)

    def _endpoint(self, name):
        return TgiEndpoint.from_endpoint_name(self, name, f"prod-{name}", model_id=f"a/{name}")


def custom_authorizer(stack):
    code = lambda_.Code.from_inline(AUTHORIZER)
    function = lambda_.Function(
        stack,
        "Own",
        code=code,
        handler="index.handler",
        runtime=lambda_.Runtime.PYTHON_3_13,
        timeout=Duration.seconds(9),
    )
    return Access.authorizer(function)


app = App()
cors = Cors(allowed_origins=["https://app.example"])
keys = FrontDoorStack(app, "Keys", Access.api_keys(), cors=cors, playground=True).front_door
keys.add_consumer("team-a", rate=1, burst=2, monthly_requests=1000)
keys.add_consumer("team-b", rate=50, burst=100, monthly_requests=3)
FrontDoorStack(app, "Iam", Access.iam())
FrontDoorStack(app, "Jwt", Access.jwt(issuer=os.environ["ISSUER"], audience="llm"))
FrontDoorStack(app, "Own", custom_authorizer)
FrontDoorStack(app, "Open", Access.public())
app.synth()
