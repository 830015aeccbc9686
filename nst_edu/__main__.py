"""Make ``python -m nst_edu`` the same as ``nst-edu``."""

from nst_edu.cli import main

raise SystemExit(main())
