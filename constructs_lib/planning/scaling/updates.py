"""What an update of an endpoint that scales cannot do."""

from __future__ import annotations

from constructs_lib.planning.validation.problem import PlanWarning


def type_change_warning() -> PlanWarning:
    """Says how to change the instance type of an endpoint that scales and that keeps its name."""
    return PlanWarning(
        "tgi-endpoint:scalingKeepsInstanceType",
        "While auto_scale is on, SageMaker refuses an update that changes the instance type, and CloudFormation rolls"
        " back. Change the type in two deployments: one without auto_scale, then one with the new type and auto_scale."
        " Or set replace_on_instance_type_change=True from the first deployment on.",
    )
