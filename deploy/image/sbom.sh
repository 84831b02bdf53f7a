#!/bin/sh
# Writes sbom.cdx.json and licences.txt into a folder: sbom.sh CYCLONEDX-PY PYTHON PYPROJECT FOLDER. PYTHON is that of the
# environment that is listed.
set -eu
mkdir -p "$4"
"$1" environment --pyproject "$3" --output-reproducible --output-format JSON --output-file "$4/sbom.cdx.json" "$2"
"$2" - "$4/sbom.cdx.json" >"$4/licences.txt" <<'EOF'
import json, sys

for part in sorted(json.load(open(sys.argv[1]))["components"], key=lambda part: part["name"].lower()):
    found = [entry.get("expression") or entry["license"].get("id") or entry["license"]["name"] for entry in part.get("licenses", ())]
    print(part["name"], part["version"], "; ".join(dict.fromkeys(found)) or "unknown", sep="\t")
EOF
