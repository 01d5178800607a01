#!/usr/bin/env python3
"""kustomize_test.py OVERLAY: the objects that `kubectl kustomize` makes of a folder of deploy/kubernetes are
those that the chart renders with the preset of that name. KUBECTL and HELM name the programs."""

import importlib.machinery
import importlib.util
import os
import pathlib
import subprocess
import sys

import yaml

ROOT = pathlib.Path(__file__).resolve().parents[2]
TOOL = importlib.machinery.SourceFileLoader("tool", str(ROOT / "tools/kustomize_from_chart"))


def main():
    spec = importlib.util.spec_from_loader("tool", TOOL)
    tool = importlib.util.module_from_spec(spec)
    TOOL.exec_module(tool)
    folder = sys.argv[1]
    name = pathlib.Path(folder).name
    wanted = tool.rendered(*([] if name == "base" else [name]))
    built = subprocess.run([os.environ.get("KUBECTL", "kubectl"), "kustomize",
                            ROOT / "deploy/kubernetes" / folder],
                           check=True, capture_output=True, text=True).stdout
    have = {(one["kind"], one["metadata"]["name"]): one for one in yaml.safe_load_all(built)
            if one["kind"] != "Secret"}
    different = [key for key in wanted.keys() | have.keys() if wanted.get(key) != have.get(key)]
    for key in different:
        print(f"{folder}: {key} differs", file=sys.stderr)
    return 1 if different or not have else 0


if __name__ == "__main__":
    sys.exit(main())
