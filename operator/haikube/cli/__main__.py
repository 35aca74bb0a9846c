"""Run the command line as ``python -m haikube.cli``."""

from haikube.cli.main import main

main(prog_name="haikube")
