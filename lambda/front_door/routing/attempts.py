"""One request to a model that has several endpoints: which of them gets it, and which one if that refuses."""

from collections.abc import Callable, Sequence

from front_door.config import Model
from front_door.errors import ApiError
from front_door.request_log import RequestLog
from front_door.routing.choice import choose

# Beside those that may be sent again: they name an endpoint that runs nothing. A container has not begun either.
_REFUSALS = ("no_capacity", "closed", "endpoint_not_found")

# That the last endpoint cannot read a request is no answer to a client whose request the first one would have taken.
_UNREAD = (400, 413, 422, 501)

Pick = Callable[[Model], Sequence[Model]]
"""The endpoints for a request to a model that has several, in the order in which they are asked."""


def by_caller(caller: str) -> Pick:
    """The endpoints of the branch of a caller."""
    return lambda model: choose(model, caller)


def by_name(name: str) -> Pick:
    """The endpoint of this name; raises ApiError if the model has none such."""

    def pick(model: Model) -> Sequence[Model]:
        targets = () if model.routing is None else model.routing.all_targets()
        found = [each for each in targets if each.target == name]
        if not found:
            names = ", ".join(f"`{each.target}`" for each in targets)
            message = f"The model `{model.name}` has no target `{name[:200]}`. There is {names}."
            raise ApiError("model_not_found", message)
        return found

    return pick


def mirror_of(model: Model) -> Sequence[Model]:
    """The endpoint that gets copies."""
    return () if model.routing is None or model.routing.mirror is None else (model.routing.mirror,)


class Attempts:
    """The endpoints that a request is sent to, each if the one before it has refused it.

    Args:
        pick: Chooses them.
        log: The request's log line.
        repeats: Whether the last one is asked again after an error.

    Attributes:
        model: The model, once the request has named one that has several endpoints.
        has_begun: Whether an endpoint has begun to respond: from then on no other is asked.
        on_begin: Called then.
    """

    def __init__(self, pick: Pick, log: RequestLog, *, repeats: bool = True) -> None:
        self._pick = pick
        self._repeats = repeats
        self._log = log
        self._targets: Sequence[Model] = ()
        self._at = 0
        self._refusal: ApiError | None = None
        self.model: Model | None = None
        self.has_begun = False
        self.on_begin: Callable[[], None] | None = None

    def target_of(self, model: Model) -> Model:
        """The endpoint that is asked now, with the adapter of the model that the request names."""
        if self.model is None:
            self.model, self._targets = model, self._pick(model)
        target = self._targets[self._at]
        self._log.add(target=target.target, engine=target.engine)
        return target if model.adapter is None else target.with_adapter(model.adapter)

    @property
    def may_repeat(self) -> bool:
        """Whether a request is repeated, and a client kept waiting: at the last endpoint, not before another."""
        return self._repeats and self._is_last

    @property
    def _is_last(self) -> bool:
        return self._at + 1 >= len(self._targets)

    def begin(self) -> None:
        """An endpoint has begun to respond."""
        if not self.has_begun:
            self.has_begun = True
            if self.on_begin is not None:
                self.on_begin()

    def is_refusal(self, error: ApiError) -> bool:
        """Whether the next endpoint is asked after an error: nothing has run, and there is one."""
        return not self._is_last and not self.has_begun and (error.may_retry or error.kind in _REFUSALS)

    def is_unread(self, error: ApiError) -> bool:
        """Whether an endpoint cannot read what another one has refused."""
        return self._refusal is not None and error.status in _UNREAD

    def go_on(self, error: ApiError) -> None:
        """Go on with the next endpoint after an error.

        Raises:
            ApiError: There is none that can take the request.
        """
        target = self._targets[self._at].target if self._targets else None
        if self.is_refusal(error):
            self._log.add_refusal(target, error)
            self._refusal = error
            self._at += 1
            self._log.add(Fallbacks=self._at)
        elif self._refusal is not None and self.is_unread(error):
            self._log.add_refusal(target, error)
            raise self._refusal
        else:
            raise error
