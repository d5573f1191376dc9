"""What stands at the axes of figures, printed ones and plotly's.

Layers and features are called by the explanation's own ``axis_names``.
"""

GATE = "gate"
HEAD = "head"
LOGITS = "logits"
PROBABILITY = "probability"
SHARE = "density attention (%)"
SOUND = "amplitude"
TIME = "time (seconds)"
VALUE = "standardised value (band: mean ± one standard deviation over layers)"
OFFSET, VARIANCE = "mean offset δ", "scaled variance ξ"
OFFSETS, SCALES = "mean offset m", "scale c"
FROM_THE_START = "● mean, × initial"
FROM_THE_PRODUCT = "○ each Gaussian, ● their product"
