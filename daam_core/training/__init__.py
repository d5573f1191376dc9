"""From labelled data to a trained classifier, and how good it is."""
