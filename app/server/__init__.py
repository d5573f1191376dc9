"""What serves the page: headers, scripts and styles, upkeep, long work."""
