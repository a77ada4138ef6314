"""The reference for synth: an app with one empty stack."""

import aws_cdk

app = aws_cdk.App()
aws_cdk.Stack(app, "Empty")
app.synth()
