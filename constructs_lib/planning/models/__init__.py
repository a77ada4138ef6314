"""What is known of models, and how to read it from their configuration files."""
