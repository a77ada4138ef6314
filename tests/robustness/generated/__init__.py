"""Requests from a grammar, sent over plain sockets to a deployed front door, with a check of each response's form."""
