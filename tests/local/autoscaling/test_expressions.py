"""CloudWatch's metric math, as far as alarms that scale need it."""

import pytest

from local.autoscaling.expressions import Expression, Query
from local.autoscaling.metrics import Metrics, metric_key

A, B = metric_key("a", {}), metric_key("b", {})
QUERIES = {"a": Query(A, "Sum"), "b": Query(B, "Maximum")}


@pytest.mark.parametrize(
    ("text", "with_both", "without_b", "without_any"),
    [
        ("a", 3, 3, None),
        ("a + 2 * b - 1", 10, None, None),
        ("a / 2", 1.5, 1.5, None),
        ("SUM([a, b])", 7, 3, None),
        ("AVG([a, b])", 3.5, 3, None),
        ("MAX([a, b])", 4, 3, None),
        ("MIN([a, b])", 3, 3, None),
        ("FILL(b, 9)", 4, 9, 9),
        ("FILL(a, 0) + FILL(b, 0)", 7, 3, 0),
        ("IF(b > 3, b, 100)", 4, None, None),
        ("IF(a >= 4, 1, 2)", 2, 2, None),
        ("a < 4", 1, 1, None),
        ("a == 3", 1, 1, None),
        ("a != 3", 0, 0, None),
        ("a <= 2", 0, 0, None),
    ],
)
def test_an_expression_has_a_value_for_each_period(
    text: str, with_both: float, without_b: float | None, without_any: float | None
) -> None:
    metrics = Metrics()
    for moment, value in ((1, 1), (2, 2), (61, 3)):
        metrics.record(A, moment, value)
    for moment, value in ((3, 4), (4, 1)):
        metrics.record(B, moment, value)
    expression = Expression(text, QUERIES)
    values = [expression.value(metrics, start, start + 60) for start in (0, 60, 120)]
    assert values == [with_both, without_b, without_any]


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("c", "c"),
        ("a AND b", "a AND b"),
        ("RATE(a)", "RATE(a)"),
        ("SUM(a)", "SUM(a)"),
        ("a + 'b'", "'b'"),
        ("a ** 2", "a ** 2"),
    ],
)
def test_what_is_not_emulated_is_an_error(text: str, part: str) -> None:
    with pytest.raises(ValueError, match=r"cannot evaluate") as caught:
        Expression(text, QUERIES)
    assert str(caught.value) == f"{text}: the emulated CloudWatch cannot evaluate {part}."
