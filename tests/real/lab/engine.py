"""How one engine is started: the namespaces round it, and what it is told."""

from __future__ import annotations

from pathlib import Path

from tests.real.lab import network
from tests.real.lab.requirements import tool

# Runs as process 1 of the node's namespaces. The shell stays: it collects orphaned processes, and
# with its end the kernel ends every process of the node.
#
# A worker tries to pull before it starts a task. A name server that refuses and a proxy that
# refuses make that fail at once, and the local image is taken.
_SCRIPT = """\
set -eu
name=$1 lab=$2 root=$3; shift 3
mount --make-rprivate /
umount --recursive --lazy /run/netns 2>/dev/null || true
hostname "$name"
if [ -n "$root" ]; then
    mount --bind "$root" "$root"
    mount -t proc proc "$root/proc"
    mount --rbind /sys "$root/sys"
    mount --rbind /dev "$root/dev"
    mount -t tmpfs tmpfs "$root/tmp"
    mkdir -p "$root$lab"
    mount --bind "$lab" "$root$lab"
fi
resolv=$(readlink -m "$root/etc/resolv.conf")
mount -t tmpfs -o mode=755 tmpfs "$root/run"
case $resolv in
    "$root"/run/*) mkdir -p "${resolv%/*}"; : >"$resolv" ;;
esac
if [ -e "$resolv" ]; then mount --bind "$lab/resolv.conf" "$resolv"; fi
mkdir -p "$root/etc/docker" "$lab/$name.etc"
mount --bind "$lab/$name.etc" "$root/etc/docker"
export HTTP_PROXY=http://127.0.0.1:9 HTTPS_PROXY=http://127.0.0.1:9 NO_PROXY=198.18.0.0/24
if [ -n "$root" ]; then
    # Not chroot: `docker exec` enters a mount namespace by its real root, so it would run on the
    # machine's files instead of the container's.
    mkdir -p "$root/run/outside"
    cd "$root"
    pivot_root . run/outside
    umount --lazy /run/outside
fi
"$@" &
wait $!
"""


def prepare(folder: Path) -> None:
    """Write the files that all engines of a lab read."""
    (folder / "node.sh").write_text(_SCRIPT)
    (folder / "resolv.conf").write_text("nameserver 127.0.0.1\noptions timeout:1 attempts:1\n")
    (folder / "daemon.json").write_text("{}\n")


def command(folder: Path, name: str, namespace: str, root: Path | None) -> list[str]:
    """The whole command of one engine; `root` is a tree to run it from, None for this machine's.

    The process it starts is `unshare`, whose only child is process 1 of the node.
    """
    return [
        *network.prefix(namespace),
        tool("unshare"),
        *("--mount", "--uts", "--pid", "--fork", "--kill-child", "--mount-proc"),
        *("sh", f"{folder}/node.sh", name, str(folder), "" if root is None else str(root)),
        "/usr/sbin/dockerd" if root else tool("dockerd"),
        f"--config-file={folder}/daemon.json",
        f"--host=unix://{folder}/{name}.sock",
        "--host=unix:///run/docker.sock",  # where containers of the node mount it from
        f"--data-root={folder}/{name}",
        "--exec-root=/run/docker",
        "--pidfile=/run/dockerd.pid",
        f"--cgroup-parent=/{folder.name}.{name}",
        "--exec-opt=native.cgroupdriver=cgroupfs",
        "--dns=127.0.0.1",
        "--userland-proxy=false",
    ]
