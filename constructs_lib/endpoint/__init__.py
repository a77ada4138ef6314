"""A SageMaker endpoint: the constructs that render it, and what they are made of."""
