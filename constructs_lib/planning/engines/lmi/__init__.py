"""DJL LMI: DJL Serving with vLLM, in AWS's image for large models."""
