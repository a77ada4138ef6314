"""The Lambda Runtime API client, and the handler of the managed runtime."""
