"""The extension of a Jupyter server: its kernels get the guard. No kernelspec is changed.

A kernelspec that names a provisioner vanishes from every server that has no such provisioner; a server
without envguard only logs that this extension is missing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from jupyter_client.provisioning.factory import KernelProvisionerFactory

if TYPE_CHECKING:
    from jupyter_server.serverapp import ServerApp

PROVISIONER = "envguard"
LOCAL = "local-provisioner"


def load(server: ServerApp) -> None:
    """Make the guard the provisioner of kernels that name none. Never raises for another that is chosen."""
    factory = KernelProvisionerFactory.instance(parent=server)
    if PROVISIONER not in factory.provisioners:
        server.log.warning(
            "envguard: the entry point of the guard is missing; install conda-envguard again"
        )
    elif factory.default_provisioner_name in (LOCAL, PROVISIONER):
        factory.default_provisioner_name = PROVISIONER
        server.log.info("envguard: kernels are guarded")
    else:
        server.log.warning(
            "envguard: kernels are not guarded: %s is their provisioner",
            factory.default_provisioner_name,
        )
