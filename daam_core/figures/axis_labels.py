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
