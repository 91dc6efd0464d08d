"""Virtual packages as conda-lock's `--virtual-package-spec` reads them."""

from __future__ import annotations

from collections.abc import Mapping

import yaml

from envguard.model.target import VirtualPackage


def dump_virtual_packages(wanted: Mapping[str, tuple[VirtualPackage, ...]]) -> str:
    """`subdirs: {linux-64: {packages: {__cuda: '12.8', __archspec: 1 x86_64_v3}}}`; absent stays absent."""
    document = {
        "subdirs": {
            subdir: {"packages": {package.name: _spec(package) for package in packages}}
            for subdir, packages in wanted.items()
        }
    }
    return str(yaml.dump(document, Dumper=yaml.CSafeDumper, sort_keys=False))


def _spec(package: VirtualPackage) -> str:
    bare = package.build in ("", "0")
    return package.version if bare else f"{package.version} {package.build}"
