"""Who may call which models, and how much: imported by front doors with a file of callers."""
