"""SGLang on SageMaker."""
