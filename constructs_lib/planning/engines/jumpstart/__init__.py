"""SageMaker JumpStart: what AWS publishes about a model, the file that pins it, and the plan of its endpoint."""
