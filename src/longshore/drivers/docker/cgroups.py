"""A task's own cgroup, above those of its containers: the limit of the whole task. cgroup v1 and v2.

Called by the engine (which asks once whether it can be done here) and by runners. Touches only folders named after
this instance.
"""

import contextlib
import os
import signal
from collections.abc import Iterator
from pathlib import Path

from longshore.drivers.docker.names import Names

MOUNT = Path("/sys/fs/cgroup")
PERIOD_US = 100_000


class TaskCgroups:
    """The cgroups of one instance's tasks."""

    def __init__(self, names: Names, mount: Path = MOUNT) -> None:
        self._names = names
        self._mount = mount
        self._v2 = (mount / "cgroup.controllers").exists()

    def why_not(self, info: dict[str, object], *, local: bool) -> str:
        """Why tasks can't have cgroups of their own here, or nothing if they can."""
        if not local:
            return "the Docker Engine is not on this machine"
        if info.get("CgroupDriver") != "cgroupfs":
            return f"the Docker Engine's cgroup driver is {info.get('CgroupDriver')}, not cgroupfs"
        roots = [self._mount] if self._v2 else [self._mount / "memory", self._mount / "cpu"]
        if any(not os.access(root, os.W_OK) or not root.is_dir() for root in roots):
            return f"Longshore may not write to {self._mount}"
        return ""

    def make(self, task_id: str, *, cpu_units: int | None, memory_mib: int | None) -> None:
        """Make the task's cgroup with its limit of memory and its share of the CPU. Raises OSError."""
        if self._v2:
            self._make_v2(task_id, memory_mib)
            return
        if memory_mib is not None:
            memory = self._folder("memory", task_id)
            (memory / "memory.limit_in_bytes").write_text(str(memory_mib << 20))
        if cpu_units is not None:
            (self._folder("cpu", task_id) / "cpu.shares").write_text(str(max(cpu_units, 2)))

    def limit_cpu(self, task_id: str, cpu_units: int) -> None:
        """Hold the task to its CPU, if it has a cgroup. Raises OSError.

        Only once its first container runs: Docker starts a container within this cgroup, and what that takes is more
        than a small task may use in a period. It would stand still for the rest of it.
        """
        root = self._mount / ("" if self._v2 else "cpu") / self._names.cgroup_root().lstrip("/")
        folder = root / task_id
        quota_us = cpu_units * PERIOD_US // 1024
        if not folder.is_dir():
            return
        if self._v2:
            (folder / "cpu.max").write_text(f"{quota_us} {PERIOD_US}")
        else:
            (folder / "cpu.cfs_period_us").write_text(str(PERIOD_US))
            (folder / "cpu.cfs_quota_us").write_text(str(quota_us))

    def _folder(self, controller: str, task_id: str) -> Path:
        root = self._mount / controller / self._names.cgroup_root().lstrip("/")
        root.mkdir(exist_ok=True)
        if controller == "memory" and (root / "memory.use_hierarchy").read_text().strip() == "0":
            (root / "memory.use_hierarchy").write_text("1")
        folder = root / task_id
        folder.mkdir(exist_ok=True)
        return folder

    def _make_v2(self, task_id: str, memory_mib: int | None) -> None:
        root = self._mount / self._names.cgroup_root().lstrip("/")
        folder = root / task_id
        for parent in (self._mount, root):
            parent.mkdir(exist_ok=True)
            (parent / "cgroup.subtree_control").write_text("+cpu +memory")
        folder.mkdir(exist_ok=True)
        if memory_mib is not None:
            (folder / "memory.max").write_text(str(memory_mib << 20))

    def remove(self, task_id: str) -> bool:
        """Remove the task's cgroup in every hierarchy; whether nothing is left (a dying process may still hold it)."""
        clean = True
        for root in self._roots():
            folder = root / task_id
            for child in (*_deepest_first(folder), root):
                with contextlib.suppress(OSError):
                    child.rmdir()
            clean = clean and not folder.exists()
        return clean

    def kill(self, task_id: str) -> None:
        """Kill what still runs in the cgroup of a task whose containers are gone from Docker.

        A dockerd that is killed while it starts a container leaves a process that the next dockerd does not know.
        """
        for root in self._roots():
            for folder in _deepest_first(root / task_id):
                with contextlib.suppress(OSError):
                    for pid in map(int, (folder / "cgroup.procs").read_text().split()):
                        if pid:  # 0: of another PID namespace, not to be reached from here
                            os.kill(pid, signal.SIGKILL)

    def known(self) -> set[str]:
        """The tasks that have a cgroup."""
        return {entry.name for root in self._roots() for entry in root.iterdir() if entry.is_dir()}

    def _roots(self) -> Iterator[Path]:
        """This instance's folder in every hierarchy: runc makes it in all of them, not only where we set limits."""
        name = self._names.cgroup_root().lstrip("/")
        hierarchies = [self._mount] if self._v2 else [p for p in self._mount.iterdir() if not p.is_symlink()]
        yield from (root for hierarchy in hierarchies if (root := hierarchy / name).is_dir())


def _deepest_first(folder: Path) -> list[Path]:
    """A cgroup and those below it, which are its containers'."""
    return [Path(path) for path, _, _ in os.walk(folder, topdown=False)]
