"""Tests of the Messages API."""
