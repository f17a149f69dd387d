#!/bin/sh
# Makes the Python environment that tests compare with, in the folder it is given, and says how to use it. Python 3.11 or newer; some 3 GB.
#   sh test/python/make_environment.sh ~/qlora-python
#   QLORA_TEST_PYTHON=~/qlora-python/bin/python npm test
# PYTHON chooses the interpreter (default python3). Where packages come from is pip's own configuration.
set -eu
if [ $# -ne 1 ]; then
  echo "usage: make_environment.sh FOLDER" >&2
  exit 2
fi
here=$(cd "$(dirname "$0")" && pwd)
"${PYTHON:-python3}" -c 'import sys; sys.exit("make_environment.sh: Python 3.11 or newer is needed, not " + sys.version.split()[0] if sys.version_info < (3, 11) else 0)'
"${PYTHON:-python3}" -m venv "$1"
"$1/bin/python" -m pip install --quiet --disable-pip-version-check --requirement "$here/requirements.txt"
"$1/bin/python" "$here/versions.py"
echo "QLORA_TEST_PYTHON=$(cd "$1" && pwd)/bin/python"
