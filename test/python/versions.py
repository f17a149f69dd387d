"""Prints the versions of what requirements.txt pins, and fails if one is another."""

import importlib.metadata as metadata
import pathlib
import sys

lines = (pathlib.Path(__file__).parent / "requirements.txt").read_text().splitlines()
pins = [line.split("==") for line in lines if "==" in line and not line.startswith("#")]
wrong = []
for name, wanted in pins:
    try:
        found = metadata.version(name)
    except metadata.PackageNotFoundError:
        found = "missing"
    print(f"{name} {found}")
    if found.split("+")[0] != wanted:
        wrong.append(f"{name} is {found}, not {wanted}")
if wrong:
    sys.exit("; ".join(wrong))
