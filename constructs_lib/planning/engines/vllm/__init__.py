"""vLLM on SageMaker."""
