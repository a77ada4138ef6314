"""Saved queries of CloudWatch Logs Insights over the log of a front door.

Their fields are those of the log line that the function writes for each request.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from aws_cdk import aws_logs as logs
from constructs import Construct

from constructs_lib.front_door.routed_models import is_routed

if TYPE_CHECKING:
    from collections.abc import Mapping

    from constructs_lib.front_door.mirror_function import MirrorFunction
    from constructs_lib.front_door.routed_models import RoutedModel

# By construct id: name and query string.
_QUERIES = {
    "TokensPerConsumer": (
        "tokens per consumer per day",
        """filter Requests = 1
| fields datefloor(@timestamp, 1d) as day
| stats sum(Requests) as requests, sum(PromptTokens) as prompt_tokens, sum(GeneratedTokens) as generated_tokens
  by day, consumer, Model
| sort day desc, generated_tokens desc""",
    ),
    "SlowestRequests": (
        "slowest requests",
        """filter Requests = 1
| sort Duration desc
| limit 50
| display @timestamp, request_id, consumer, route, Model, status, Duration, TimeToFirstToken, UpstreamTime, Retries,
  GeneratedTokens, TokensPerSecond""",
    ),
    "ErrorsByCause": (
        "errors by cause",
        """filter ispresent(error)
| stats count(*) as requests, latest(request_id) as newest by error, cause, error_status, route, Model
| sort requests desc""",
    ),
    "Variants": (
        "variants of each model",
        """filter Requests = 1 and ispresent(variant)
| stats sum(Requests) as requests, sum(ServerErrors) as errors, pct(TimeToFirstToken, 50) as first_token_p50,
  pct(TimeToFirstToken, 95) as first_token_p95, avg(TokensPerSecond) as tokens_per_second
  by Model, variant
| sort Model asc, variant asc""",
    ),
}


_TARGETS = (
    "targets of each model",
    """filter Requests = 1 and ispresent(target)
| fields coalesce(Model, Mirror) as model, ispresent(Mirror) as is_mirror
| stats sum(Requests) as requests, sum(ClientErrors) as client_errors, sum(ServerErrors) as server_errors,
  sum(Fallbacks) as refused_before, pct(TimeToFirstToken, 50) as first_token_p50,
  pct(TimeToFirstToken, 95) as first_token_p95, avg(TokensPerSecond) as tokens_per_second,
  pct(Duration, 50) as duration_p50, avg(GeneratedTokens) as generated_tokens
  by model, is_mirror, target, engine
| sort model asc, is_mirror asc, requests desc""",
)
"""Compares the endpoints of models that have several; those of a Mirror with what answers the clients."""


_LIMITS = (
    "limits of each consumer",
    """filter ispresent(reserved_tokens) or Refused = 1
| stats count(*) as requests, sum(Refused) as refused, sum(reserved_tokens) as reserved_tokens,
  sum(used_tokens) as used_tokens, sum(StoreFailures) as not_counted by consumer, Limit, Model
| sort refused desc, used_tokens desc""",
)
"""What consumers with limits have used, and which of their requests were refused by which limit."""


def add_limits_query(scope: Construct, *, path: str, log_group_name: str) -> None:
    """Save the query about consumers with limits.

    Args:
        scope: The scope of the query.
        path: Path of the front door.
        log_group_name: The log group of its function.
    """
    name, query = _LIMITS
    logs.CfnQueryDefinition(scope, "Query", name=f"{path}/{name}", query_string=query, log_group_names=[log_group_name])


def add_queries(
    scope: Construct,
    *,
    path: str,
    log_group_name: str,
    models: Mapping[str, RoutedModel],
    mirror: MirrorFunction | None,
) -> None:
    """Save the queries, in a folder with the path of the front door.

    Args:
        scope: The front door.
        path: Its path.
        log_group_name: The log group of its function.
        models: Its models; one that has several endpoints brings a query that compares them.
        mirror: The function that sends copies, whose log that query reads as well.
    """
    queries_scope = Construct(scope, "Queries")
    for query_id, (name, query) in _QUERIES.items():
        logs.CfnQueryDefinition(
            queries_scope, query_id, name=f"{path}/{name}", query_string=query, log_group_names=[log_group_name]
        )
    if any(is_routed(model) for model in models.values()):
        name, query = _TARGETS
        logs.CfnQueryDefinition(
            queries_scope,
            "Targets",
            name=f"{path}/{name}",
            query_string=query,
            log_group_names=[log_group_name, *([mirror.log_group] if mirror else ())],
        )
