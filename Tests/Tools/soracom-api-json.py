#!/usr/bin/env python3
"""Turns soracom-api.yaml (a cut of SORACOM's OpenAPI specification) into the JSON that WANLab embeds.

    Tests/Tools/soracom-api-json.py soracom-api.yaml LICENSE > Sources/WANLab/Resources/soracom-api.json

The head comment of the YAML (where it comes from, what differs from upstream) and the licence travel along in `info`, since
the licence wants its notice in every copy; nothing else is changed.
"""
import json
import sys

import yaml

source = open(sys.argv[1], encoding="utf-8").read()
head = [line[1:].strip() for line in source.splitlines()[: source.splitlines().index("openapi: 3.0.0")]]
document = yaml.safe_load(source)
document["info"]["x-origin"] = head
document["info"]["x-license"] = open(sys.argv[2], encoding="utf-8").read().splitlines()
json.dump(document, sys.stdout, separators=(",", ":"), ensure_ascii=False)
print()
