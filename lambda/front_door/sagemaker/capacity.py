"""What a client is told while no copy of its model runs; imported by the first request that finds none."""

from math import ceil

from front_door.config import Model
from front_door.errors import ApiError
from front_door.hours import next_opening

# A model that has come back stays for as long without a request: an older wake is not the one that goes on now.
_SHORTEST_IDLE_SECONDS = 900
_SHORTEST_RETRY_SECONDS = 20
"""Once the estimate is over."""
_RETRY_SECONDS_WITHOUT_ESTIMATE = 60


def explain(error: ApiError, model: Model, wakes: dict[str, float], now: float) -> ApiError:
    """The error of a request that found no copy of its model: when to try again, and why then.

    Args:
        error: As SageMaker reports it; returned as it is for a model that does not come back by itself.
        model: The model.
        wakes: When requests first found no copy, by the keys of models; this one is added.
        now: Seconds since the epoch.
    """
    if model.inference_component is None:
        return error
    opening = None if model.hours is None else next_opening(model.hours, now)
    if opening is not None:
        message = f"The model is closed and opens on {opening.text}."
        # OpenAI's clients would repeat the request within seconds.
        headers = {"x-should-retry": "false"}
        retry_after = ceil(opening.at - now)
        return ApiError("closed", message, headers=headers, retry_after=retry_after, log_detail=error.log_detail)
    seconds = _seconds_left(model, wakes, now)
    when = "in some minutes" if seconds is None else f"in about {seconds} seconds"
    message = f"No copy of the model is running. One is being started: try again {when}."
    retry_after = _RETRY_SECONDS_WITHOUT_ESTIMATE if seconds is None else seconds
    return ApiError("no_capacity", message, retry_after=retry_after, log_detail=error.log_detail)


def _seconds_left(model: Model, wakes: dict[str, float], now: float) -> int | None:
    """What is left of the estimate, as far as this sandbox knows when the wake began; None without an estimate."""
    estimate = model.wake_seconds
    if estimate is None:
        return None
    began = wakes.get(model.key)
    if began is None or now - began > estimate + _SHORTEST_IDLE_SECONDS:
        began = wakes[model.key] = now
    return max(ceil(began + estimate - now), _SHORTEST_RETRY_SECONDS)
