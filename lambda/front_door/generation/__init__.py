"""What passes between a client's protocol and an engine's."""
