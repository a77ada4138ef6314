"""Which part of a prompt each of its tokens is, from the texts of the tokens.

A server decodes each token by itself: a part of a character becomes U+FFFD, and the tokenizers that mark spaces, such
as Llama 2's, leave out the space that a token begins with. It also adds tokens in front of the prompt.
"""

import codecs
from collections.abc import Iterator, Sequence

_MOST_ADDED = 2
_MARK = "\ufffd"


def split_prompt(prompt: str, texts: Sequence[str]) -> list[str] | None:
    """The part of the prompt for each of the last of its tokens; without those that the server has put in front.

    A character of several tokens is the part of the last of them.

    Args:
        prompt: The prompt as the server got it.
        texts: The tokens, each decoded by itself.

    Returns:
        The parts, which together are the prompt. None if the tokens are of another text: some tokenizers change it.
    """
    data = prompt.encode()
    budget = iter(range(8 * len(texts) + 1000))
    for drops_spaces in (False, True):
        for added in range(min(_MOST_ADDED, len(texts)) + 1):
            if (ends := _find_ends(data, texts[added:], drops_spaces, budget)) is not None:
                decoder = codecs.getincrementaldecoder("utf-8")()
                return [decoder.decode(data[start:end]) for start, end in zip([0, *ends], ends, strict=False)]
    return None


def _find_ends(data: bytes, texts: Sequence[str], drops_spaces: bool, budget: Iterator[int]) -> list[int] | None:
    """Where each token ends in the prompt; a search, as U+FFFD does not say how many bytes it stands for."""
    ends: list[int] = []
    others: list[Iterator[int]] = []
    while (start := ends[-1] if ends else 0) < len(data) or len(ends) < len(texts):
        found = _ends(data, start, texts, len(ends), drops_spaces)
        end = next(found, None)
        while end is None:
            if not others or next(budget, None) is None:
                return None
            found = others.pop()
            ends.pop()
            end = next(found, None)
        ends.append(end)
        others.append(found)
    return ends


def _ends(data: bytes, start: int, texts: Sequence[str], at: int, drops_spaces: bool) -> Iterator[int]:
    """Where a token may end if it begins at `start`, the likeliest first."""
    if at == len(texts):
        return
    text = texts[at]
    if start == len(data):
        if text and at == len(texts) - 1 and _MARK not in text:
            yield start  # added behind the prompt
        return
    if drops_spaces and data.startswith(b" ", start):
        yield from _text_ends(data, start + 1, text)
    yield from _text_ends(data, start, text)


def _text_ends(data: bytes, start: int, text: str) -> Iterator[int]:
    whole = text.encode()
    if data.startswith(whole, start):
        yield start + len(whole)
    if _MARK not in text:
        return
    # The last bytes of a character, each of them U+FFFD, then text, then the first bytes of a character.
    middle = text.lstrip(_MARK)
    last_bytes = len(text) - len(middle)
    kept = middle.rstrip(_MARK)
    has_first = len(middle) > len(kept)
    if not middle and _continues(data, start, last_bytes):
        yield start + last_bytes
    if not middle:
        last_bytes, has_first = last_bytes - 1, True
    at = start + last_bytes
    if not _continues(data, start, last_bytes) or not data.startswith(kept.encode(), at):
        return
    at += len(kept.encode())
    if not has_first:
        yield at
        return
    size = next((size for size, first in ((4, 0xF0), (3, 0xE0), (2, 0xC0)) if data[at : at + 1] >= bytes([first])), 1)
    yield from (at + taken for taken in (2, 1, 3) if taken < size)


def _continues(data: bytes, start: int, count: int) -> bool:
    """Whether the next bytes are not the first of a character."""
    following = data[start : start + count]
    return len(following) == count and all(0x80 <= byte < 0xC0 for byte in following)
