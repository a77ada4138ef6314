"""What model containers speak."""
