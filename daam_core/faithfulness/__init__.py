"""Is the Importance Factor true? Measures of an explanation against the model it explains.

Each module answers one question; ``report`` asks them all. All of them work on pooled features
``[N, L, F]`` and a trained classifier, so that the encoder runs only where the input itself is changed.
Nothing here is imported by the rest of the package.
"""
