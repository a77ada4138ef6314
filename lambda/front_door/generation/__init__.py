"""What passes between the protocol that a client speaks and the engine in the model's container."""
