"""Text Generation Inference, version 3.3.6."""
