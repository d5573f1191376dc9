"""One visitor's work: inputs, actions and results as plain values, without components."""
