"""Which part of a text each of its tokens is.

A server decodes each token by itself for its log probabilities: a part of a character becomes U+FFFD or nothing, and
the tokenizers that mark spaces, such as Llama 2's, leave out the space that a token begins with. The text itself is
without special tokens.
"""

from collections.abc import Iterable, Iterator, Sequence

_MARK = "\ufffd"


def split_text(text: str, tokens: Sequence[str], *, is_cut: bool) -> list[tuple[str, bool]]:
    """What each token adds to a text; a character of several tokens is added by the last of them.

    Args:
        text: The text of the tokens.
        tokens: The tokens, each decoded by itself.
        is_cut: Whether a stop string ends the text: that may be inside a token, and there may be more tokens, which
            are dropped.

    Returns:
        The text of each token, and whether it is special: then it is no part of the text.
    """
    if "".join(tokens) == text:
        return [(token, False) for token in tokens]
    found: list[tuple[str, bool]] = []
    at = 0
    for token in tokens:
        if is_cut and 0 < at == len(text):
            break
        core = token.lstrip(_MARK)
        start = text.find(core, at) if core else -1
        if start >= 0:
            found.append((text[at : start + len(core)], False))
            at = start + len(core)
        elif is_cut and _is_begun(token, text[at:]):
            found.append((text[at:], False))
            at = len(text)
        else:
            is_part = not core or _MARK in token
            found.append(("", False) if is_part else (token, True))
    if at < len(text):
        _add_rest(found, text[at:])
    return found


def separate_texts(tokens: Iterable[str]) -> Iterator[str]:
    """What TGI reports of a prompt's tokens: each by itself, so that a part of a character is U+FFFD.

    Args:
        tokens: As vLLM gives them: the last token of a character has it, those before have nothing.
    """
    is_inside = False
    for token in tokens:
        yield _MARK + token[1:] if is_inside or not token else token
        is_inside = not token


def _add_rest(found: list[tuple[str, bool]], rest: str) -> None:
    """Add what is of no token to the last one that is text."""
    last = next((at for at in range(len(found) - 1, -1, -1) if not found[at][1]), len(found) - 1)
    if last >= 0:
        text, is_special = found[last]
        found[last] = (rest if is_special else text + rest, False)


def _is_begun(token: str, text: str) -> bool:
    """Whether the text ends with the beginning of the token."""
    return any(text.endswith(token[:length]) for length in range(1, min(len(text), len(token)) + 1))
