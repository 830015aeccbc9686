"""Right and wrong answers to every exercise: what the checks are tested with."""
