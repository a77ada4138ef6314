"""Tests of the command doctor, against moto."""
