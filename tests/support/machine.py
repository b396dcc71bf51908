"""A machine with a real systemd: PID 1 of namespaces of its own, over a throw-away layer on this machine's files.

Nothing that happens in it reaches the host: its root is an overlay whose upper side is in memory; /proc, /dev, /run,
/tmp and control groups are its own. The network is the host's, so that a test's services can be reached on loopback.
"""

import os
import shutil
import signal
import subprocess
import sys
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from tests.support.waiting import wait_until

LIBRARIES, SHARED = "/opt/libraries", "/opt/shared"

# Units of the host's that are of no use here, or would reach for its hardware, clock or network.
_MASKED = """
apt-daily.timer apt-daily-upgrade.timer console-getty.service cron.service dev-hugepages.mount dpkg-db-backup.timer
e2scrub_all.timer fstrim.timer getty.target logrotate.timer man-db.timer postgresql.service prometheus.service
prometheus-node-exporter.service sys-fs-fuse-connections.mount sys-kernel-debug.mount sys-kernel-tracing.mount
systemd-firstboot.service systemd-hwdb-update.service systemd-modules-load.service systemd-networkd.service
systemd-resolved.service systemd-sysctl.service systemd-timesyncd.service systemd-udev-trigger.service
systemd-udevd.service nginx.service caddy.service
"""
_INIT = """\
set -eu
base=$1; lower=$2; shift 2
mount --make-rprivate /
mount -t tmpfs -o mode=755 tmpfs "$base"
mkdir "$base/upper" "$base/work" "$base/root"
mount -t overlay overlay -o "lowerdir=$lower,upperdir=$base/upper,workdir=$base/work" "$base/root"
root=$base/root
for pair in "$@"; do
  if [ -d "${pair%%:*}" ]; then mkdir -p "$root${pair#*:}"; else install -D /dev/null "$root${pair#*:}"; fi
  mount --bind "${pair%%:*}" "$root${pair#*:}"
done
mount -t proc proc "$root/proc"
mount --bind "$root/proc/sys" "$root/proc/sys"
mount -o remount,bind,ro "$root/proc/sys"
mount -t sysfs -o ro sysfs "$root/sys"
mount -t cgroup2 cgroup2 "$root/sys/fs/cgroup"
mount -t tmpfs -o mode=755 tmpfs "$root/dev"
for device in null zero full random urandom tty; do
  touch "$root/dev/$device"
  mount --bind "/dev/$device" "$root/dev/$device"
done
mkdir "$root/dev/pts" "$root/dev/shm"
mount -t devpts -o newinstance,ptmxmode=0666,mode=620,gid=5 devpts "$root/dev/pts"
ln -s pts/ptmx "$root/dev/ptmx"
ln -s /proc/self/fd "$root/dev/fd"
mount -t tmpfs -o mode=1777 tmpfs "$root/dev/shm"
mount -t tmpfs -o mode=755 tmpfs "$root/run"
mount -t tmpfs -o mode=1777 tmpfs "$root/tmp"
for unit in $MASKED; do ln -sfn /dev/null "$root/etc/systemd/system/$unit"; done
rm -f "$root/etc/machine-id"
echo "$MACHINE_ID" > "$root/etc/machine-id"
hostname machine
mkdir "$root/run/host"
cd "$root"
pivot_root . run/host
umount -l /run/host
# A container's systemd expects the mounts to be shared: without that, credentials would silently stay empty.
mount --make-rshared /
exec env -i container=other PATH=/usr/sbin:/usr/bin:/sbin:/bin LANG=C.UTF-8 \\
  /lib/systemd/systemd --system --unit=basic.target --log-target=journal --show-status=no
"""


class Machine:
    """The running machine, seen from the host."""

    def __init__(self, leader: int) -> None:
        self._leader = leader

    def run(
        self,
        *command: str,
        env: Mapping[str, str] | None = None,
        check: bool = True,
        input: str | None = None,  # noqa: A002
    ) -> subprocess.CompletedProcess[str]:
        """Run a command as root in the machine to its end.

        Args:
            command: program and arguments.
            env: variables beside what every process has.
            check: whether it has to succeed.
            input: what it finds on standard input.
        """
        done = subprocess.run(
            self.entered(*command), env=_environment(env), input=input, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0 or not check, f"{command}: {done.returncode}\n{done.stdout}\n{done.stderr}"
        return done

    def start(self, *command: str, env: Mapping[str, str] | None = None) -> "subprocess.Popen[str]":
        """Start a command as root in the machine."""
        return subprocess.Popen(
            self.entered(*command), env=_environment(env), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )

    def shell(self, script: str) -> str:
        """Run a script of the shell in the machine; what it prints."""
        return self.run("sh", "-c", script).stdout

    def write(self, path: str, text: str, mode: int = 0o644) -> None:
        """Write a file in the machine, and the folders above it."""
        script = 'mkdir -p "$(dirname "$1")"; cat > "$1"; chmod "$2" "$1"'
        self.run("sh", "-c", script, "_", path, f"{mode:o}", input=text)

    def read(self, path: str) -> str:
        """A file of the machine."""
        return self.run("cat", path).stdout

    def property(self, unit: str, name: str) -> str:
        """What systemd knows of a unit."""
        return self.run("systemctl", "show", "--value", f"--property={name}", unit).stdout.strip()

    def is_up(self) -> bool:
        """Whether systemd has started all that it is to start."""
        return self.run("systemctl", "is-system-running", check=False).stdout.strip() == "running"

    def halt(self) -> None:
        """Let systemd end everything."""
        os.kill(self._leader, signal.SIGRTMIN + 3)
        wait_until(lambda: _is_over(self._leader), "systemd to halt")

    def entered(self, *command: str) -> list[str]:
        """What to run here for a command to run in the machine, as root."""
        # The mount namespace last: the flags' own files are looked up before it is entered.
        return ["nsenter", f"--target={self._leader}", "-m", "-p", "-C", "-u", "-i", "-r", "-w", *command]


def why_impossible() -> str | None:
    """Why such a machine can't be booted here; None if it can."""
    if os.geteuid() != 0:
        return "booting systemd in namespaces takes root"
    missing = [name for name in ("unshare", "nsenter", "pivot_root", "systemctl") if shutil.which(name) is None]
    if missing:
        return f"{', '.join(missing)} not installed (make packages)"
    return None


def interpreter() -> str:
    """An interpreter in the machine for the libraries of these tests: the system's if it fits, else their own."""
    system = Path("/usr/bin/python3")
    own = f"python{sys.version_info.major}.{sys.version_info.minor}"
    return str(system) if system.resolve().name == own else "/opt/python/bin/python3"


@contextmanager
def booted(folder: Path) -> Iterator[Machine]:
    """A machine that has just been booted.

    In it, the libraries of these tests are in `LIBRARIES`, and `interpreter()` fits them: a service's sandbox hides the
    folders in which a developer keeps his own.

    Args:
        folder: its subfolder `shared` is `SHARED` in the machine.
    """
    libraries = next(path for path in sys.path if path.endswith("site-packages"))
    binds = {"/opt/python": sys.base_prefix, LIBRARIES: libraries, SHARED: str(folder / "shared")}
    with booted_from(Path("/"), folder, binds) as machine:
        yield machine


@contextmanager
def booted_from(root: Path, folder: Path, binds: Mapping[str, str]) -> Iterator[Machine]:
    """A machine that has just been booted from the files of another, which stay as they are.

    Args:
        root: the other machine's root.
        folder: an empty one for what it needs.
        binds: files and folders of this machine's, by where they are seen in that one.
    """
    group = _control_group()
    script = folder / "init.sh"
    script.write_text(_INIT, encoding="utf-8")
    (folder / "base").mkdir()
    bound = [f"{source}:{place}" for place, source in binds.items()]
    # The process enters its control group before the namespaces are made, so that this is the root of theirs.
    command = 'echo $$ > "$1/cgroup.procs"; shift; exec unshare -f -m -p -C -u -i --kill-child=KILL sh "$@"'
    with (folder / "console").open("wb") as console:
        outer = subprocess.Popen(
            ["sh", "-c", command, "_", str(group), str(script), str(folder / "base"), str(root), *bound],
            env=_environment({"MASKED": " ".join(_MASKED.split()), "MACHINE_ID": uuid.uuid4().hex}),
            stdin=subprocess.DEVNULL,
            stdout=console,
            stderr=console,
            start_new_session=True,
        )
    try:
        machine = Machine(_leader(outer, folder / "console"))
        wait_until(machine.is_up, "systemd to be running")
        yield machine
        machine.halt()
    finally:
        outer.kill()
        outer.wait()
        _remove(group)


def _leader(outer: "subprocess.Popen[bytes]", console: Path) -> int:
    """The process that is PID 1 inside, once it is systemd."""

    def found() -> bool:
        assert outer.poll() is None, console.read_text(encoding="utf-8")
        return any(_is_systemd(child) for child in _children(outer.pid))

    wait_until(found, "systemd to be PID 1")
    return next(child for child in _children(outer.pid) if _is_systemd(child))


def _children(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="utf-8").split()]


def _is_systemd(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/comm").read_text(encoding="utf-8").strip() == "systemd"
    except FileNotFoundError:
        return False


def _is_over(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[0] == "Z"
    except (FileNotFoundError, ProcessLookupError):
        return True


def _control_group() -> Path:
    unified = Path("/sys/fs/cgroup")
    tree = unified if (unified / "cgroup.controllers").exists() else unified / "unified"
    group = tree / f"kylink-test-{os.getpid()}-{uuid.uuid4().hex[:8]}"
    group.mkdir()
    return group


def _remove(group: Path) -> None:
    """Remove a control group, once the processes in it are gone: their PID 1 was killed, if it had not ended."""
    groups = sorted((path for path in [group, *group.rglob("*")] if path.is_dir()), reverse=True)
    wait_until(lambda: not any((path / "cgroup.procs").read_text() for path in groups), "the machine's end")
    for path in groups:
        path.rmdir()


def _environment(more: Mapping[str, str] | None = None) -> dict[str, str]:
    return {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LANG": "C.UTF-8", **(more or {})}
