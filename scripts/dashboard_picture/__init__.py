"""Draws docs/dashboard.svg: the dashboard of LlamaTgiStack with figures of the emulated cloud.

`python -m scripts.dashboard_picture` deploys the stack with monitoring, sends requests through its front door for some
minutes, and draws the deployed dashboard with what the function has logged and what SageMaker's emulation has counted.
"""
