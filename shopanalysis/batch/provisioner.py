"""What jupyter_client starts a warm kernel with; an ordinary one when it cannot be forked."""

from __future__ import annotations

import asyncio
import os

from jupyter_client.provisioning import LocalProvisioner

from shopanalysis.batch import warm


class WarmProvisioner(LocalProvisioner):
    """Forks kernels from the warm process, started with the analyses if nothing has started it."""

    async def launch_kernel(self, cmd: list[str], **kwargs):
        """Launch a kernel; `cmd` is what would start an ordinary one."""
        folder = kwargs.get("cwd") or os.getcwd()
        try:
            warm.start(["shopanalysis.report", warm.AHEAD], kwargs["env"])
            self.process = warm.server.fork(cmd[3:], kwargs["env"], str(folder))
        except warm.Unavailable as cause:
            self.log.warning("Kernels start cold: %s.", cause)
            return await super().launch_kernel(cmd, **kwargs)
        self.pid = self.pgid = self.process.pid
        self.cwd = folder
        return self.connection_info

    async def wait(self) -> int | None:
        """Wait for its end, which a kernel that was killed comes to at once."""
        while self.process and self.process.poll() is None:
            await asyncio.sleep(0.005)
        return await super().wait()
