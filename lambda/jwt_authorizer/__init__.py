"""The authorizer for access tokens of an OpenID Connect provider."""
