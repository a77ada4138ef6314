"""The members of a JSON object whose text arrives in pieces."""

import json
from typing import Any

import pytest
from front_door.generation.members import Members
from hypothesis import given
from hypothesis import strategies as st

SCALARS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text()
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3)
)
SPACE = st.sampled_from(["", " ", "\n  "])


@st.composite
def written(draw: st.DrawFn, value: Any) -> str:
    """A value as a model may write it: with or without escapes and whitespace."""
    separators = (draw(st.sampled_from([",", ", ", " ,\n"])), draw(st.sampled_from([":", " : "])))
    return json.dumps(value, ensure_ascii=draw(st.booleans()), separators=separators)


@st.composite
def pieces(draw: st.DrawFn, text: str) -> list[str]:
    """A text cut at random places."""
    cuts = sorted(draw(st.lists(st.integers(0, len(text)), max_size=8)))
    return [text[start:end] for start, end in zip([0, *cuts], [*cuts, len(text)], strict=True)]


@st.composite
def objects(draw: st.DrawFn) -> tuple[dict[str, str], str]:
    """The texts of the members of an object, and the text of the object."""
    values = draw(st.dictionaries(st.sampled_from(["answer", "a", 'q"\\', "é 🚀", ""]), VALUES))
    members = {name: draw(written(value)) for name, value in values.items()}
    space = draw(SPACE)
    text = ",".join(
        f"{space}{json.dumps(name, ensure_ascii=False)}{draw(SPACE)}:{draw(SPACE)}{value}{draw(SPACE)}"
        for name, value in members.items()
    )
    return members, f"{draw(SPACE)}{{{text}{space}}}{draw(SPACE)}"


def read(members: Members, parts: list[str]) -> str:
    return "".join(members.read(part) for part in parts)


@given(objects(), st.data())
def test_the_value_of_a_member_is_copied_character_by_character(
    given_object: tuple[dict[str, str], str], data: st.DataObject
) -> None:
    members, text = given_object
    assert read(Members(only="answer"), data.draw(pieces(text))) == members.get("answer", "")


@given(objects(), st.data())
def test_an_object_without_a_member_is_the_others(
    given_object: tuple[dict[str, str], str], data: st.DataObject
) -> None:
    members, text = given_object
    expected = [
        f"{json.dumps(name, ensure_ascii=False)}:{value}" for name, value in members.items() if name != "answer"
    ]
    assert read(Members(without="answer"), data.draw(pieces(text))) == f"{{{','.join(expected)}}}"


@given(objects(), st.data())
def test_what_is_copied_so_far_is_a_beginning_of_the_whole(
    given_object: tuple[dict[str, str], str], data: st.DataObject
) -> None:
    members, text = given_object
    end = data.draw(st.integers(0, len(text)))
    assert members.get("answer", "").startswith(read(Members(only="answer"), [text[:end]]))


@pytest.mark.parametrize(
    ("text", "value", "others"),
    [
        ('{, "answer": [1, 2]}', "[1, 2]", "{}"),
        ('{"a": 1 "answer": "x"}', '"x"', '{"a":1}'),
        ('{"a":{"answer":1},"b":"{\\"answer\\":2"}', "", '{"a":{"answer":1},"b":"{\\"answer\\":2"}'),
        ('{"answer": 1}} more', "1", "{}"),
        ("{}", "", "{}"),
    ],
)
def test_commas_may_be_missing_or_too_many_and_only_members_of_the_object_itself_count(
    text: str, value: str, others: str
) -> None:
    assert read(Members(only="answer"), list(text)) == value
    assert read(Members(without="answer"), list(text)) == others
