"""How an update replaces the instances of an endpoint or the copies of a model. Pure Python: no aws_cdk here."""
