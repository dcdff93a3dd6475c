"""``python -m tinghao.app.workers`` is one worker; the launcher starts it."""

from tinghao.app.workers.worker import main

if __name__ == "__main__":
    main()
