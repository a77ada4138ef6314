"""The deployed cloud of the end-to-end tests."""

from tests.e2e.conftest import cloud

__all__ = ["cloud"]
