"""The front door's Lambda function: Hugging Face and OpenAI requests in, SageMaker streams out."""
