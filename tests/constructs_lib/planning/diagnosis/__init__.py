"""Tests of planning/diagnosis."""
