"""Why an endpoint does not start or is slow: what was read of it goes in, ranked findings come out.

Nothing here calls AWS. `signals` is what a caller has read, `diagnose` ranks; the catalogue of causes is in `starting`,
`account` and `serving` (what logs and events say), `measured` (what metrics say) and `planned` (what the plan says).
"""
