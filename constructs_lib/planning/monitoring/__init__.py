"""What is watched of endpoints and front doors: alarms and objectives, as data."""
