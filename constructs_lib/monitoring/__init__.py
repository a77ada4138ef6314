"""What is seen of endpoints and front doors together."""
