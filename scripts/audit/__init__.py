"""Rule packs and checkov over every stack, and which of their findings are accepted (`accepted.json`)."""
