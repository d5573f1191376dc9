"""Files written whole or not at all, and reports as text and as pages."""
