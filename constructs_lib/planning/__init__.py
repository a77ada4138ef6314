"""Decides what an endpoint needs, without AWS: pure Python, no aws_cdk, no I/O but reading the catalogues.

`plan(EndpointRequest(…))` returns everything that a construct renders, and every problem of the request.
"""
