"""The emulated CloudFormation: creates, updates, rolls back and deletes stacks, with moto's services below it."""
