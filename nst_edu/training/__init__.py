"""How the embedded backbone's weights were made. Start it with ``python -m nst_edu.training``."""
