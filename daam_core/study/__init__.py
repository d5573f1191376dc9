"""A study of a data set: every input explained once, kept in one folder, and asked afterwards.

``folder`` says what lies in a study's folder, ``make`` writes it, ``cells`` finds what a cell answers to,
``selection`` says which inputs are meant, ``slices`` compares groups of them, ``projection`` puts them into a
plane.
"""
