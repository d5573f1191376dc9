"""How long things take, as ratios to a reference measured in the same run."""
