"""Probes of SageMaker's time limits: a minute for an answer, eight minutes for a stream."""

from __future__ import annotations

import re
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError, EventStreamError
from urllib3.exceptions import HTTPError

from acceptance.probe import SLOW, Verdict, absent, contradicted, probe, proven, undecided
from acceptance.site import error_of
from stacks.acceptance_settings import DEFAULT_TOKENS

if TYPE_CHECKING:
    from acceptance.site import Site

_MINUTE, _EIGHT_MINUTES, _TOLERANCE = 60.0, 480.0, 6.0
_PROMPT_TOKENS = 1000
"""More than the prompt has: an answer that takes long fills the rest of the longest request."""
_FINISHED, _TAIL_BYTES = re.compile(rb'"finish_reason": ?"'), 4096
"""What the last parts of an answer say that the model has ended."""
_STREAMS = 12
"""Streams at once, which make each of them slower."""


@probe("S8", title="InvokeEndpoint ends after 60 seconds", minutes=1.2, emulation=SLOW)
def sixty_seconds(site: Site) -> Verdict:
    """An answer that takes longer."""
    started = time.monotonic()
    error = error_of(lambda: site.invoke(_long(site)))
    seconds = time.monotonic() - started
    if error is None:
        if seconds > _MINUTE + _TOLERANCE:
            return contradicted(f"an answer came after {seconds:.0f} s")
        return undecided(f"the model was done after {seconds:.0f} s")
    facts = f"{error['Code']} after {seconds:.1f} s, original status {error.get('OriginalStatusCode')}"
    if abs(seconds - _MINUTE) <= _TOLERANCE:
        return proven(facts)
    return contradicted(facts) if seconds > _MINUTE else undecided(f"{facts}: another failure")


@probe(
    "S8",
    title="InvokeEndpointWithResponseStream ends after 8 minutes",
    minutes=9,
    emulation=absent("it takes eight minutes there as well; tests/local/sagemaker_runtime has it with a shorter limit"),
)
def eight_minutes(site: Site) -> Verdict:
    """Several streams at once, so that the longest lasts longer than that."""
    pool = ThreadPoolExecutor(_STREAMS)
    try:
        ends = list(pool.map(lambda _number: _seconds_of_stream(site), range(_STREAMS)))
    finally:
        pool.shutdown(wait=False, cancel_futures=True)  # a run that is stopped must not wait for the streams
    cut = [seconds for seconds, error in ends if error is not None and abs(seconds - _EIGHT_MINUTES) <= 2 * _TOLERANCE]
    longest, error = max(ends)
    tokens, ending = _answer_tokens(site), error or "the model"
    facts = f"{_STREAMS} streams of up to {tokens} tokens, the longest {longest:.0f} s, ended by {ending}"
    if cut:
        return proven(f"{facts}; {len(cut)} cut after {min(cut):.0f} to {max(cut):.0f} s")
    if longest > _EIGHT_MINUTES + 2 * _TOLERANCE:
        return contradicted(facts)
    return undecided(f"{facts}: the model was faster; a larger MODEL is slower")


def _long(site: Site, *, stream: bool = False) -> dict[str, Any]:
    return site.chat(_answer_tokens(site), stream=stream, ignore_eos=True)


def _answer_tokens(site: Site) -> int:
    return int(site.context.get("acceptance_tokens", DEFAULT_TOKENS)) - _PROMPT_TOKENS


def _seconds_of_stream(site: Site) -> tuple[float, str | None]:
    """How long a stream lasts, and what ends it if the model does not."""
    started = time.monotonic()
    last = b""
    try:
        for event in site.invoke_stream(_long(site, stream=True))["Body"]:
            for name in event.keys() - {"PayloadPart"}:
                return time.monotonic() - started, name
            last = (last + event["PayloadPart"]["Bytes"])[-_TAIL_BYTES:]
    except (ClientError, EventStreamError) as error:
        return time.monotonic() - started, str(error.response["Error"]["Code"])
    except (BotoCoreError, HTTPError, OSError) as error:  # a connection that is cut is an end as well
        return time.monotonic() - started, type(error).__name__
    return time.monotonic() - started, None if _FINISHED.search(last) else "nothing, in the middle of the answer"
