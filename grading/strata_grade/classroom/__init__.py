"""Grading a class: who is in it (course), what they handed in (collect, sources), grading it (work), reports (gather, page)."""
