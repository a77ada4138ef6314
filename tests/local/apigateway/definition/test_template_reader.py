"""What the template does not say of an API."""

from __future__ import annotations

from local.apigateway.definition.template_reader import _generated_key


def test_a_generated_key_is_one_word_of_letters_and_digits() -> None:
    keys = {_generated_key() for _ in range(200)}
    assert len(keys) == 200
    assert all(len(key) == 40 and key.isascii() and key.isalnum() for key in keys)
