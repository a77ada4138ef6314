"""Container images by version and Region."""
