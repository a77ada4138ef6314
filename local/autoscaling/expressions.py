"""What an alarm evaluates: a metric, or an expression of CloudWatch's metric math."""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from statistics import fmean
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from local.autoscaling.metrics import Key, Metrics

Value = float | None
"""The value of a period; None if it has none."""

_OPERATORS: dict[type[ast.AST], Callable[[float, float], float]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
}
_AGGREGATES: dict[str, Callable[[list[float]], float]] = {"AVG": fmean, "MAX": max, "MIN": min, "SUM": sum}


@dataclass(frozen=True, slots=True)
class Query:
    """A statistic of a metric."""

    metric: Key
    statistic: str


@dataclass(frozen=True, slots=True)
class Expression:
    """A formula over metrics: numbers, arithmetic, comparisons, `IF`, `FILL`, and `SUM`, `AVG`, `MAX`, `MIN` of a list.

    A period in which a metric has no value has none in arithmetic either; the functions of a list leave it out.

    Args:
        text: The formula.
        queries: The metrics by the names that they have in it.

    Raises:
        ValueError: The formula has something else.
    """

    text: str
    queries: Mapping[str, Query]

    def __post_init__(self) -> None:
        self._value(self._root(), dict.fromkeys(self.queries, 1.0))

    def value(self, metrics: Metrics, start: float, end: float) -> Value:
        """Its value in a period."""
        values = {
            name: metrics.statistic(query.metric, query.statistic, start, end) for name, query in self.queries.items()
        }
        return self._value(self._root(), values)

    def _root(self) -> ast.expr:
        try:
            return ast.parse(self.text, mode="eval").body
        except SyntaxError:
            raise self._unsupported(self.text) from None

    def _unsupported(self, part: str) -> ValueError:
        return ValueError(f"{self.text}: the emulated CloudWatch cannot evaluate {part}.")

    def _value(self, node: ast.expr, values: Mapping[str, Value]) -> Value:
        match node:
            case ast.Constant(value=int() | float() as number):
                return float(number)
            case ast.Name(id=name) if name in values:
                return values[name]
            case ast.BinOp(left=left, op=sign, right=right) if type(sign) in _OPERATORS:
                return self._calculate(sign, left, right, values)
            case ast.Compare(left=left, ops=[sign], comparators=[right]) if type(sign) in _OPERATORS:
                return self._calculate(sign, left, right, values)
            case ast.Call(func=ast.Name(id=name), args=[ast.List(elts=items)]) if name in _AGGREGATES:
                found = [value for item in items if (value := self._value(item, values)) is not None]
                return _AGGREGATES[name](found) if found else None
            case ast.Call(func=ast.Name(id="FILL"), args=[metric, filling]):
                value, otherwise = self._value(metric, values), self._value(filling, values)
                return otherwise if value is None else value
            case ast.Call(func=ast.Name(id="IF"), args=[condition, yes, no]):
                chosen = self._value(condition, values), self._value(yes, values), self._value(no, values)
                return None if chosen[0] is None else chosen[1] if chosen[0] else chosen[2]
        raise self._unsupported(ast.unparse(node))

    def _calculate(self, sign: ast.AST, left: ast.expr, right: ast.expr, values: Mapping[str, Value]) -> Value:
        one, two = self._value(left, values), self._value(right, values)
        return None if one is None or two is None else float(_OPERATORS[type(sign)](one, two))
