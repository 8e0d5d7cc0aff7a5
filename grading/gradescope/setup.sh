#!/usr/bin/env bash
# Gradescope runs this once, when it builds the image: install the tools, build what all submissions share.
set -euo pipefail
root=${AUTOGRADER_ROOT:-/autograder}
command -v python3 >/dev/null || { apt-get update -q; apt-get install -y -q --no-install-recommends python3; }
if ! /usr/bin/python3 -c 'import tomllib'; then
	echo "setup.sh: the grader needs Python 3.11: choose a newer base image (Ubuntu 24.04, Debian 12)" >&2
	exit 1
fi
"$root/source/strata/tools/setup" --grade
"$root/source/strata/grading/gradescope/autograder" prepare --root "$root"
