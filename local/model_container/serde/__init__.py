"""JSON as serde_json reads it."""
