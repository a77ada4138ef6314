"""Tests against real engines, run by `make test-engines` alone: they install some gigabytes, and start for minutes."""
