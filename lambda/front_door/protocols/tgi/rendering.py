"""Generations as TGI 3.3.6 writes them (router/src/lib.rs: Response, StreamResponse and their details)."""

from collections.abc import Iterable
from math import floor, frexp, log10

from front_door.generation.tokens import Sequence, Token

_TOKEN = b'{"id":%b,"text":"%b","logprob":%b,"special":%b}'
_EVENT = (
    b'data: {"index":%d,"token":{"id":%b,"text":"%b","logprob":%b,"special":%b},"generated_text":%b,"details":%b}\n\n'
)
_PREFILL = b'{"id":%b,"text":"%b","logprob":%b}'


def token_events(tokens: Iterable[Token], first: int) -> bytes:
    """The events of tokens after which more come; `first` is the number of the first one, from 1."""
    return b"".join(
        [
            _EVENT % (index, token_id, text, single(logprob), special or b"false", b"null", b"null")
            for index, (text, logprob, token_id, special) in enumerate(tokens, first)
        ]
    )


def last_event(token: Token, index: int, text: bytes, details: bytes) -> bytes:
    """The event of the last token, with all of the text."""
    text_of_token, logprob, token_id, special = token
    numbers = (index, token_id, text_of_token, single(logprob), special or b"false")
    return _EVENT % (*numbers, b'"' + text + b'"', details)


def stream_details(sequence: Sequence, input_length: int) -> bytes:
    """The details in the last event."""
    return b'{%b,"input_length":%d}' % (_ending(sequence), input_length)


def generation(text: bytes, details: bytes | None) -> bytes:
    """A generation that is not streamed."""
    more = b"" if details is None else b',"details":' + details
    return b'{"generated_text":"%b"%b}' % (text, more)


def details(sequence: Sequence, others: list[bytes]) -> bytes:
    """The details of a generation; `others` are from `best_of_sequence`."""
    more = b',"best_of_sequences":[' + b",".join(others) + b"]" if others else b""
    return b"{%b%b}" % (_members(sequence), more)


def best_of_sequence(text: bytes, sequence: Sequence) -> bytes:
    """A generation that is not the best one."""
    return b'{"generated_text":"%b",%b}' % (text, _members(sequence))


def _members(sequence: Sequence) -> bytes:
    prefill = b",".join([_PREFILL % (each.id, each.text, single(each.logprob)) for each in sequence.prefill])
    tokens = b",".join(
        [
            _TOKEN % (token_id, text, single(logprob), special or b"false")
            for text, logprob, token_id, special in sequence.tokens
        ]
    )
    return b'%b,"prefill":[%b],"tokens":[%b]' % (_ending(sequence), prefill, tokens)


def _ending(sequence: Sequence) -> bytes:
    seed = b"null" if sequence.seed is None else b"%d" % sequence.seed
    members = (str(sequence.finish_reason).encode(), sequence.generated_tokens, seed)
    return b'"finish_reason":"%b","generated_tokens":%d,"seed":%b' % members


_Scale = tuple[float, float, float]


class _Scales(dict[int, tuple[float, _Scale, _Scale]]):
    """What numbers of a binary exponent have in common.

    Where their decimal exponent changes, a scale for those below, and one for those from there on. A scale is the
    factor that brings seven digits before the point, by how much these may be wrong, and 1 less that.
    """

    def __missing__(self, exponent: int) -> tuple[float, _Scale, _Scale]:
        smallest, half_a_step = 2.0 ** (exponent - 1), 2.0 ** (exponent - 25)
        power = floor(log10(smallest))
        below, above = (
            (each, half_a_step * each, 1 - half_a_step * each) for each in (10.0 ** (6 - power), 10.0 ** (5 - power))
        )
        self[exponent] = found = (10.0 ** (power + 1), below, above)
        return found


_scales = _Scales()


def single(number: bytes) -> bytes:
    """A number as serde writes it with 32 bits: the fewest digits that tell it from its neighbours.

    Args:
        number: One of those with 32 bits, as JSON; less than 10^7 in size, as logarithms of probabilities are: beyond,
            numbers of seven digits are exactly between two of those.
    """
    if number == b"null":
        return number
    value = float(number)
    size = abs(value)
    border, below, above = _scales[frexp(size)[1]]
    scale, error, rest = above if size >= border else below
    digits = size * scale
    if error <= digits % 1 <= rest:
        # Of eight digits the last is wrong by half at most.
        is_enough = error >= 0.05 or not 10 * error <= digits * 10 % 1 <= 1 - 10 * error
        text = (b"%.8g" if is_enough else b"%.9g") % value
    else:
        # Where several numbers of seven digits are the same, one of six may be too.
        is_needed = error <= 0.5 or error / 10 <= digits / 10 % 1 <= 1 - error / 10
        text = (b"%.7g" if is_needed else b"%.6g") % value
    if b"e" in text:
        return _with_exponent(text)
    return text if b"." in text else text + b".0"


def _with_exponent(text: bytes) -> bytes:
    """The same as Rust lays it out: with an exponent only below 0.000001 and from 10^13 on."""
    mantissa, _, exponent = text.partition(b"e")
    sign, digits = (b"-", mantissa[1:]) if mantissa.startswith(b"-") else (b"", mantissa)
    digits = digits.replace(b".", b"")
    point = int(exponent) + 1
    if point > 13 or point <= -6:
        more = b"." + digits[1:] if len(digits) > 1 else b""
        return b"%b%b%be%d" % (sign, digits[:1], more, point - 1)
    if point <= 0:
        return b"%b0.%b%b" % (sign, b"0" * -point, digits)
    return b"%b%b.%b" % (sign, digits[:point].ljust(point, b"0"), digits[point:] or b"0")
