"""What the function does that gets the copies: the request as if it were a client's, without a client."""

from collections.abc import Callable
from typing import Any

from front_door.config import Config
from front_door.http.response import Response, json_response
from front_door.request_log import RequestLog, write_line


def answer(event: dict[str, Any], settings: Config, log: RequestLog, handle: Callable[[], Response]) -> Response:
    """Read the answer to a copy to its end, and drop it; its status, times and token counts are in the log line.

    Args:
        event: The proxy event, with `{"mirror": {"model": name}}`.
        settings: The front door's.
        log: The line.
        handle: Responds to the event by the endpoint that gets copies.
    """
    mirror = event.get("mirror")
    model = settings.models.get(str(mirror.get("model"))) if isinstance(mirror, dict) else None
    if model is None or model.routing is None or model.routing.mirror is None:
        # Such as one that was queued before a deployment took the mirror away.
        write_line({"level": "WARN", "message": "The event is no copy for a mirror.", "request_id": log.request_id})
        return json_response({})
    log.meter_copy(model.name)
    for _ in handle().body:
        pass
    return json_response({})
