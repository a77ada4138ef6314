"""The app that synth is compared with: one empty stack and nothing else."""

import aws_cdk

app = aws_cdk.App()
aws_cdk.Stack(app, "Empty")
app.synth()
