"""Which user site does this interpreter read? None where it reads none."""

import os
import site
import sys


def main(probe):
    folder = site.getusersitepackages()
    read = bool(site.ENABLE_USER_SITE) and os.path.isdir(folder)
    there = read and any(os.path.realpath(p or ".") == os.path.realpath(folder) for p in sys.path)
    probe.value("user site", folder if there else None)
    probe.value("user base", site.getuserbase() if there else None)
