"""Release, collect and grade assignments, safely: see ``nst-edu classroom --help``."""
