"""Reads request bodies as axum and serde_json do."""
