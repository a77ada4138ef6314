"""The members of a JSON object, read while its text arrives."""

from collections.abc import Callable


class Members:
    """Copies an object's text without one of its members, or the text of one member's value alone.

    The pieces may end anywhere. Values are copied as they are; what is between members is written anew, so that commas
    may be missing or too many.

    Args:
        only: The name of the member whose value is copied.
        without: The name of the member that is left out, if there is no `only`.
    """

    def __init__(self, *, only: str = "", without: str = "") -> None:
        self._only, self._without = f'"{only}"' if only else "", f'"{without}"'
        self._read: Callable[[str], str] = self._before_key
        self._key = ""
        self._is_escaped = self._in_string = self._is_copied = self._has_members = False
        self._depth = 0

    def read(self, piece: str) -> str:
        """What the next piece of the object's text adds to the copy."""
        return "".join([self._read(character) for character in piece])

    def _before_key(self, character: str) -> str:
        if character == '"':
            self._key, self._read = character, self._in_key
        elif character == "}":
            self._read = self._after_end
            return "" if self._only else "}" if self._has_members else "{}"
        return ""

    def _in_key(self, character: str) -> str:
        self._key += character
        if character == '"' and not self._is_escaped:
            self._read = self._before_value
        self._is_escaped = character == "\\" and not self._is_escaped
        return ""

    def _before_value(self, character: str) -> str:
        if character in ": \t\r\n":
            return ""
        self._read, self._depth = self._in_value, 0
        self._is_copied = self._key == self._only if self._only else self._key != self._without
        if self._only or not self._is_copied:
            return self._in_value(character)
        before = f"{',' if self._has_members else '{'}{self._key}:"
        self._has_members = True
        return before + self._in_value(character)

    def _in_value(self, character: str) -> str:
        has_ended = False
        if self._in_string:
            self._in_string = character != '"' or self._is_escaped
            self._is_escaped = character == "\\" and not self._is_escaped
            has_ended = not self._in_string and not self._depth
        elif character == '"':
            self._in_string = True
        elif character in "{[":
            self._depth += 1
        elif not self._depth and character in ",} \t\r\n":
            self._read = self._before_key
            return self._before_key(character)
        elif character in "}]":
            self._depth -= 1
            has_ended = not self._depth
        if has_ended:
            self._read = self._before_key
        return character if self._is_copied else ""

    def _after_end(self, _character: str) -> str:
        return ""
