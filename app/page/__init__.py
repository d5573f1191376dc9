"""What is seen: the page's components, their wiring and their HTML."""
