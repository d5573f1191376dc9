"""Figures of an explanation: for print, for notebooks, and interactive. Nothing is imported until used."""
