"""Seeded programs that draw the style pictures bundled with the course."""
