"""Requests to models that have several endpoints: which of them gets one, what follows a refusal, and copies."""
