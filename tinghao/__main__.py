"""`python -m tinghao` is the command line, as `tinghao` is where the package is installed."""

from tinghao.app.cli import main

if __name__ == "__main__":
    main()
