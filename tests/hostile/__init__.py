"""Submissions that do harm, or want points for nothing; each is made by code."""
