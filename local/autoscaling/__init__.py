"""Application Auto Scaling and CloudWatch alarms, as far as they scale SageMaker's instances and component copies."""
