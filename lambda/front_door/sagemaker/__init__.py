"""The SageMaker Runtime client."""
