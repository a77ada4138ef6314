"""`doctor`: reads what is deployed with boto3, and says by planning/diagnosis why it does not start or is slow."""
