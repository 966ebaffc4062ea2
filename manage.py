#!/usr/bin/env python3
"""The command line, as `faceweb` is: settings chosen, and the database running for the command's duration."""

from faceweb.cli import main

if __name__ == "__main__":
    main()
