"""One choice of a response, read from the events that its container sends."""

from typing import TYPE_CHECKING

from front_door.errors import ApiError
from front_door.generation.events import Delta, StopSequences, TextFrame
from front_door.generation.request import GenerationRequest
from front_door.http.sse import event_data
from front_door.request_log import RequestLog

if TYPE_CHECKING:
    from front_door.generation.final_answer import FinalAnswerReader


class Choice:
    """Reads the events of one choice; each engine has its own subclass.

    Args:
        request: The client's request.
        max_tokens: What the container was asked for.

    Attributes:
        text_frame: What is around the text of an event that has nothing else, as far as it is the same for all
            requests. Default: unknown, every event is parsed.
        usage: The container's token counts.
        finish_reason: Why the text ended, by OpenAI's name; None before it has.
        stop_sequence: The stop sequence that has ended the text; None if it ended otherwise.
        fingerprint: The container's version.
        is_done: Whether the container has reported the end.
        error: The error that it ended with instead.
        can_retry_buffered: Whether the same request without streaming may succeed after this error.
        mean_logprob: The mean log probability of the generated tokens, if the container reports it.
        differences: The members of OpenAI's response whose values are not what OpenAI's would be.
    """

    text_frame: TextFrame | None = None

    def __init__(self, request: GenerationRequest, max_tokens: int) -> None:
        self.max_tokens = max_tokens
        self._stop_sequences = StopSequences(request.stop_sequences) if request.stop_sequences else None
        self._final_answer: FinalAnswerReader | None = None
        if request.final_answer is not None:
            from front_door.generation import final_answer

            self._final_answer = final_answer.FinalAnswerReader(request.final_answer)
        self.usage: dict[str, int] | None = None
        self.finish_reason: str | None = None
        self.stop_sequence: str | None = None
        self.fingerprint: str | None = None
        self.is_done = False
        self.error: ApiError | None = None
        self.can_retry_buffered = False
        self.mean_logprob: float | None = None
        self.differences: tuple[str, ...] = ()
        self._keeps_text = request.keeps_text

    def read(self, events: bytes) -> list[Delta]:
        """Read complete events; after an error nothing more is read."""
        deltas: list[Delta] = []
        for data in event_data(events):
            if self.error is not None or self.is_done:
                break
            deltas += self._end() if data == b"[DONE]" else self._filter(self.read_event(data))
        return deltas if self._keeps_text else []

    def read_buffered(self, body: bytes) -> list[Delta]:
        """Read a response that was not streamed, as if it were one event and the end."""
        deltas = self._filter(self.read_event(body))
        if self.error is None:
            deltas += self._end()
        return deltas if self._keeps_text else []

    def read_event(self, data: bytes) -> list[Delta]:
        """Read one event's data, or set `error`."""
        raise NotImplementedError

    def finish(self) -> list[Delta]:
        """Handle the end of the stream; sets `is_done` or `error`."""
        if self.usage is None:
            self.error = ApiError("incomplete_generation", "Incomplete generation", log_detail="no usage")
            return []
        self.is_done = True
        deltas = [] if self._stop_sequences is None else self._stop_sequences.flush()
        if self._stop_sequences is not None and self._stop_sequences.found is not None:
            self.finish_reason, self.stop_sequence = "stop", self._stop_sequences.found
        if not self._keeps_text:
            self.finish_reason = "length"
        if self.finish_reason is None:
            self.finish_reason = "length" if self.usage["completion_tokens"] >= self.max_tokens else "stop"
        return deltas

    def _end(self) -> list[Delta]:
        deltas = self.finish()
        if self._final_answer is None:
            return deltas
        deltas = self._final_answer.read(deltas)
        if self._final_answer.is_called and self.finish_reason == "tool_calls":
            self.finish_reason = "stop"
        return deltas

    def _filter(self, deltas: list[Delta]) -> list[Delta]:
        if self._final_answer is not None:
            deltas = self._final_answer.read(deltas)
        if self._stop_sequences is None:
            return deltas
        out: list[Delta] = []
        for delta in deltas:
            out += self._stop_sequences.filter(delta) if delta.arguments is None else [delta]
        return out


def raise_incomplete(choices: list[Choice]) -> None:
    """Check that every choice has ended.

    Raises:
        ApiError: One has not.
    """
    for choice in choices:
        if choice.error is not None:
            raise choice.error
        if not choice.is_done:
            raise ApiError("incomplete_generation", "Incomplete generation", log_detail="no end")


def total_usage(request: GenerationRequest, choices: list[Choice]) -> dict[str, int]:
    """The token counts of all choices; a prompt counts once, however many choices it has."""
    counts = [choice.usage or {} for choice in choices]
    prompt = sum(each.get("prompt_tokens", 0) for each in counts[:: request.candidates])
    generated = sum(each.get("completion_tokens", 0) for each in counts) if request.keeps_text else 0
    return {"prompt_tokens": prompt, "completion_tokens": generated, "total_tokens": prompt + generated}


def log_choices(log: RequestLog, request: GenerationRequest, choices: list[Choice]) -> None:
    """Log the token counts, and why the first choice ended."""
    generated = sum((choice.usage or {}).get("completion_tokens", 0) for choice in choices)
    log.add_tokens(prompt=total_usage(request, choices)["prompt_tokens"], generated=generated)
    log.add(finish_reason=choices[0].finish_reason)
