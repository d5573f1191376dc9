"""The page's parts, one module each. A part makes its components and knows nothing of the others."""
