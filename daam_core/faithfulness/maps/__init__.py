"""Maps of importance by every method, and the cells they are made of."""
