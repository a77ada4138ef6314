"""The examples: each has a README, is found by one harness, and is synthesized, linted, deployed and called."""
