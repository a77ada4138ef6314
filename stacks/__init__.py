"""The ready-made stacks: ModelStack, and one preset per model."""
