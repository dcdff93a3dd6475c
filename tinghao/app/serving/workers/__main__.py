"""``python -m tinghao.app.serving.workers`` is one worker; the launcher starts it."""

from tinghao.app.serving.workers.worker import main

if __name__ == "__main__":
    main()
