"""Generations as TGI 3.3.6 writes them (router/src/lib.rs: Response, StreamResponse and their details)."""

from collections.abc import Iterable
from struct import Struct

from front_door.generation.tokens import Sequence, Token

_pack = Struct("f").pack
_TOKEN = b'{"id":%b,"text":"%b","logprob":%b,"special":%b}'
_EVENT = (
    b'data: {"index":%d,"token":{"id":%b,"text":"%b","logprob":%b,"special":%b},"generated_text":%b,"details":%b}\n\n'
)
_PREFILL = b'{"id":%b,"text":"%b","logprob":%b}'
_BOOLEAN = (b"false", b"true")


def token_events(tokens: Iterable[Token], first: int) -> bytes:
    """The events of tokens after which more come; `first` is the number of the first one, from 1."""
    return b"".join(
        [
            _EVENT % (index, token_id, text, single(logprob), _BOOLEAN[special], b"null", b"null")
            for index, (text, logprob, token_id, special) in enumerate(tokens, first)
        ]
    )


def last_event(token: Token, index: int, text: bytes, details: bytes) -> bytes:
    """The event of the last token, with all of the text."""
    text_of_token, logprob, token_id, special = token
    numbers = (index, token_id, text_of_token, single(logprob), _BOOLEAN[special])
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
            _TOKEN % (token_id, text, single(logprob), _BOOLEAN[special])
            for text, logprob, token_id, special in sequence.tokens
        ]
    )
    return b'%b,"prefill":[%b],"tokens":[%b]' % (_ending(sequence), prefill, tokens)


def _ending(sequence: Sequence) -> bytes:
    seed = b"null" if sequence.seed is None else b"%d" % sequence.seed
    members = (str(sequence.finish_reason).encode(), sequence.generated_tokens, seed)
    return b'"finish_reason":"%b","generated_tokens":%d,"seed":%b' % members


def single(number: bytes) -> bytes:
    """A number as serde writes it with 32 bits: the fewest digits that tell it from its neighbours."""
    if number == b"null":
        return number
    value = float(number)
    bits = _pack(value)
    text = b"%.7g" % value
    if _pack(float(text)) != bits:
        text = b"%.8g" % value
        if _pack(float(text)) != bits:
            text = b"%.9g" % value
    elif _pack(float(shorter := b"%.6g" % value)) == bits:
        text = shorter  # where several of seven digits are the same number
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
