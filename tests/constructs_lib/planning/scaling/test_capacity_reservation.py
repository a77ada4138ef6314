"""Reserved instances."""

import botocore.loaders
import pytest

from constructs_lib.planning.scaling.capacity_reservation import (
    ARN,
    ONLY_RESERVED,
    CapacityReservation,
    reservation_problems,
    reservation_warnings,
)
from constructs_lib.planning.validation.unknown import UNKNOWN

PLAN = "arn:aws:sagemaker:eu-west-1:123456789012:training-plan/p5-for-llama"


def refusals(reservation, region="eu-west-1", instance_types=1):
    return [str(problem) for problem in reservation_problems(reservation, region, instance_types)]


@pytest.mark.parametrize("arn", [PLAN, PLAN.replace("training-plan", "ml-reservation"), UNKNOWN])
def test_a_reservation_of_the_endpoints_region_is_no_problem(arn):
    assert refusals(CapacityReservation(arn=arn)) == []
    assert refusals(CapacityReservation(arn=arn), region=None) == []
    assert list(reservation_warnings(CapacityReservation(arn=arn), "123456789012")) == []


def test_none_is_no_reservation():
    assert (refusals(None), list(reservation_warnings(None, "123456789012"))) == ([], [])


@pytest.mark.parametrize(
    ("reservation", "words"),
    [
        (
            PLAN,
            f"capacity_reservation='{PLAN}': must be a CapacityReservation, not str. Write CapacityReservation(arn=…).",
        ),
        (
            CapacityReservation(arn="p5-for-llama"),
            (
                "capacity_reservation.arn='p5-for-llama': must be the ARN of a reservation:"
                " arn:<partition>:sagemaker:<region>:<account>:training-plan/<name>."
                " Write it in that form, or leave it out."
            ),
        ),
        (
            CapacityReservation(arn=PLAN.replace("eu-west-1", "us-east-1")),
            (
                f"capacity_reservation.arn='{PLAN.replace('eu-west-1', 'us-east-1')}': is of us-east-1, but instances"
                " are reserved for endpoints of their Region, here eu-west-1. Use a reservation of that Region."
            ),
        ),
    ],
)
def test_what_cannot_be_a_reservation_for_the_endpoint_is_reported(reservation, words):
    assert refusals(reservation) == [words]


def test_a_reservation_is_of_one_instance_type():
    assert refusals(CapacityReservation(arn=PLAN), instance_types=2) == [
        (
            f"capacity_reservation=CapacityReservation(arn='{PLAN}'): is of one instance type, but instance_type has 2."
            " Name the reserved type only."
        )
    ]


def test_a_reservation_of_another_account_brings_a_warning():
    (warning,) = reservation_warnings(CapacityReservation(arn=PLAN), "210987654321")
    assert (warning.id, warning.message) == (
        "tgi-endpoint:reservationOfOtherAccount",
        (
            "The capacity reservation is of account 123456789012, the endpoint of 210987654321. SageMaker finds it"
            " only if it is shared with that account."
        ),
    )
    assert list(reservation_warnings(CapacityReservation(arn=PLAN), None)) == []


def test_form_and_preference_are_botocores():
    shapes = botocore.loaders.create_loader().load_service_model("sagemaker", "service-2")["shapes"]
    found = shapes["MlReservationArn"]
    assert ARN.pattern.replace("a-z-]", "a-z\\-]").replace("0-9-]", "0-9\\-]") == found["pattern"]
    assert ARN.longest == found["max"]
    assert shapes["CapacityReservationPreference"]["enum"] == [ONLY_RESERVED]
