"""Releases: what is checked, built and tried before a version is tagged."""
