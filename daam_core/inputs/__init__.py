"""What people give: sounds, pictures and texts, read once and safely."""
