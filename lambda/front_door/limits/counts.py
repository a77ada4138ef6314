"""How many tokens a request may need, before anything has read it, and about how many it had, if nothing tells."""

from collections.abc import Iterable, Iterator
from math import ceil

from front_door.sagemaker.invocation import Invocation, ModelStream

BYTES_PER_TOKEN = 3
"""Of UTF-8: fewer than tokenizers of large vocabularies need for English prose or code."""

IMAGE_TOKENS = 1024
"""Of an image, whose data is no text: about what a model that cuts it into tiles makes of one of 1024 × 1024."""


def estimate_tokens(prompt: Iterable[object]) -> int:
    """The tokens of the parts of a prompt: texts, arrays of token ids, messages and tools as JSON has them."""
    size = images = tokens = 0
    rest: list[object] = list(prompt)
    while rest:
        part = rest.pop()
        if isinstance(part, str):
            count, text = _take_images(part)
            images += count
            size += len(text.encode(errors="replace"))
        elif isinstance(part, dict):
            is_image = _is_data(part.get("url"))
            images += is_image
            rest += [*part, *(value for name, value in part.items() if name != "url" or not is_image)]
        elif isinstance(part, list | tuple):
            rest += part
        elif part is not None:
            tokens += 1
    return tokens + images * IMAGE_TOKENS + ceil(size / BYTES_PER_TOKEN)


def _is_data(url: object) -> bool:
    """Whether a value is a URL of data, and not a text that begins like one."""
    return isinstance(url, str) and url.startswith("data:") and " " not in url and "\n" not in url


def _take_images(text: str) -> tuple[int, str]:
    """The number of images in a text, TGI's Markdown of a URL of data, and the text without them."""
    first, *others = text.split("](data:")
    images, kept = 0, [first]
    for other in others:
        data, end, rest = other.partition(")")
        is_image = end and _is_data("data:" + data)
        images += bool(is_image)
        kept.append(rest if is_image else f"](data:{other}")
    return images, "".join(kept)


class CountedStream(ModelStream):
    """See `ModelStream`.

    Attributes:
        events: How many events of an answer have arrived; comments, and an error in place of an answer, are none.
    """

    def __init__(self, invocation: Invocation) -> None:
        super().__init__(invocation)
        self._first_error = invocation.errors.first_error
        self.events = 0

    def __iter__(self) -> Iterator[bytes]:
        """See `ModelStream`."""
        has_answer = False
        for part in super().__iter__():
            if part and not part.startswith(b":") and self.is_event_stream:
                has_answer = has_answer or self._first_error(part) is None
                if has_answer:
                    self.events += part.count(b"\n\n") + part.count(b"\n\r\n")
            yield part
