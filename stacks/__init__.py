"""The ready-made stacks: ModelStack with one preset per model, and FrontDoorStack."""
