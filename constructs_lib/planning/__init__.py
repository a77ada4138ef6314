"""What an endpoint needs, decided without AWS: pure Python, no I/O but the catalogues in data/, no aws_cdk below here.

`plan(EndpointRequest(...))` gathers every problem of a request and answers with everything that a construct renders.
"""
