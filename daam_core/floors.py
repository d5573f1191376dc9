"""Small numbers that keep a gate finite where values do not vary (the paper's Algorithm 1)."""

#: Added to the variance itself.
VARIANCE_FLOOR = 1e-8
#: Added to the variance under the root of the standard deviation.
STANDARD_DEVIATION_FLOOR = 1e-5
