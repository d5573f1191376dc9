"""Every method on every data set: cells that can be resumed, a table, curves and plots."""
