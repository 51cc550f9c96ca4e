"""``python -m publish.pull`` is ``consent-gate-pull``."""

from publish.pull.main import main

if __name__ == "__main__":
    main()
