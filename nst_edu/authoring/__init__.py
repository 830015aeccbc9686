"""Tools for those who write lessons: build notebooks from their texts, and check them.

Learners never need this; nothing else in the package imports it.
"""
