"""The copy of a model's weights from the hub into a bucket, which a deployment waits for."""
