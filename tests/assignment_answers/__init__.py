"""Answers to the assignments' function tasks, in the styles that students use."""
