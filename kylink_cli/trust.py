"""Whose files are believed: what somebody else could have planted is not read as if the operator had written it."""

import grp
import os
import pwd
import stat
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from kylink_cli.language import tr

_ACCESS_LISTS = ("system.posix_acl_access", "system.nfs4_acl")


def distrust(path: Path, *, shared_folder: bool = True) -> str | None:
    """Why a file can't be believed, in a few words with what to do; None if it can.

    The file, its folder and what leads there must belong to the caller or to root, and be written by nobody else.

    Args:
        path: the file, which exists.
        shared_folder: whether it may be in a folder like /tmp, where everybody writes and nobody can take another's
            file away.

    Raises:
        OSError: it can't be looked at.
    """
    absolute = Path(os.path.abspath(path))  # noqa: PTH100  (`absolute` keeps `..`, `resolve` follows links)
    for place in dict.fromkeys([absolute, absolute.resolve()]):
        reason = _of_file(place) or _of_folder(place.parent, shared=shared_folder) or _of_way(place.parent)
        if reason is not None:
            return reason
    return None


def is_guarded(folder: Path) -> bool:
    """Whether nobody but the caller and root can change what a folder holds, or put another in its place.

    Raises:
        OSError: it can't be looked at.
    """
    place = folder.resolve()
    return _of_folder(place, shared=False) is None and _of_way(place) is None


def _of_file(path: Path) -> str | None:
    if path.is_symlink():
        return _of_owner(path, path.lstat())
    status = path.stat()
    # What is written to a device like /dev/null is not what is read there.
    if _is_writable_by_others(path, status) and not stat.S_ISCHR(status.st_mode):
        return tr("others can write to it: chmod go-w {path}", path=path)
    return _of_owner(path, status)


def _of_folder(folder: Path, *, shared: bool) -> str | None:
    status = folder.stat()
    is_shared = bool(status.st_mode & stat.S_ISVTX)
    if _is_writable_by_others(folder, status) and not (shared and is_shared):
        return tr("others can write to its folder: chmod go-w {path}", path=folder)
    return _of_owner(folder, status)


def _is_writable_by_others(path: Path, status: os.stat_result) -> bool:
    if status.st_mode & stat.S_IWOTH:
        return True
    # Where a file has a list of who may do what, the group's bits speak for all of the list.
    return bool(status.st_mode & stat.S_IWGRP) and (_has_access_list(path) or not _is_caller_s_alone(status.st_gid))


def _has_access_list(path: Path) -> bool:
    for name in _ACCESS_LISTS:
        with suppress(OSError):  # there is none, or the file system knows none
            os.getxattr(path, name)
            return True
    return False


def _is_caller_s_alone(gid: int) -> bool:
    """Whether a group is the caller's private one, as Debian makes one for every user, with a umask of 002.

    It bears the user's name, is the user's primary group, and nobody else is in it, by whichever of its names, or has
    it as a primary group. Root's is no such group: root shares files with nobody.
    """
    if os.geteuid() == 0:
        return False
    try:
        user, group = pwd.getpwuid(os.geteuid()), grp.getgrgid(gid)
    except KeyError:
        return False
    if gid != user.pw_gid or group.gr_name != user.pw_name:
        return False
    members = {name for other in (group, *grp.getgrall()) if other.gr_gid == gid for name in other.gr_mem}
    primary = {other.pw_name for other in pwd.getpwall() if other.pw_gid == gid}
    return members | primary <= {user.pw_name}


def _of_way(folder: Path) -> str | None:
    """What is wrong with the folders and links that lead to a folder."""
    for place in _leading_to(folder):
        status = place.lstat()
        everybody_s = stat.S_ISDIR(status.st_mode) and status.st_mode & stat.S_IWOTH
        if everybody_s and not status.st_mode & stat.S_ISVTX:
            return tr("others can write to its folder: chmod go-w {path}", path=place)
        if reason := _of_owner(place, status):
            return reason
    return None


def _leading_to(folder: Path) -> Iterator[Path]:
    yield folder
    yield from folder.parents


def _of_owner(path: Path, status: os.stat_result) -> str | None:
    if status.st_uid in {0, os.geteuid()}:
        return None
    return tr("{path} belongs to another user", path=path)
