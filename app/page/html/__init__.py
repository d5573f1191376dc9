"""Pieces of the page as HTML. Every word that comes from a visitor or a model is escaped here."""
