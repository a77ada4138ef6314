"""The reference for synth with rule packs: an app with both of them and one stack, empty but for what a stack needs."""

import aws_cdk
from cdk_nag import AwsSolutionsChecks, ServerlessChecks

app = aws_cdk.App()
# With the packs, a template without a resource is refused. This one has no properties.
aws_cdk.CfnWaitConditionHandle(aws_cdk.Stack(app, "Empty"), "Handle")
aws_cdk.Validations.of(app).add_plugins(AwsSolutionsChecks(app), ServerlessChecks(app))
app.synth()
