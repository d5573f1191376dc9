"""A study of a data set: every input explained once, kept in one folder, and asked afterwards.

``folder`` says what lies in a study's folder, ``make`` writes it, ``cells`` finds what a cell answers to,
``slices`` compares groups of inputs.
"""
