"""Network shares are recognised, and files are written whole or not at all."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

import pytest

from consent_gate.home import filesystem
from consent_gate.home.filesystem import atomic_file, is_shared, kind_from_mounts, replace_with

MOUNTS = rb"""/dev/sda1 / ext4 rw 0 0
proc /proc proc rw 0 0
C:\134 /mnt/c 9p rw,aname=drvfs 0 0
systemd-1 /mnt/photos autofs rw 0 0
//server/photos /mnt/photos cifs rw 0 0
//server/two /mnt/School\040photos cifs rw 0 0
//server/three /mnt/Gr\303\274\303\237e cifs rw 0 0
tmpfs /mnt/photos-of-today tmpfs rw 0 0
""".replace(rb"Gr\303\274\303\237e", "Grüße".encode())


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/srv/consent-gate", "ext4"),
        ("/mnt/c/Photos", "9p"),
        ("/mnt/photos", "cifs"),
        ("/mnt/photos/sports-day", "cifs"),
        ("/mnt/photos-of-today", "tmpfs"),
        ("/mnt/School photos/trip", "cifs"),
        ("/mnt/Grüße/trip", "cifs"),
    ],
)
def test_the_innermost_mount_counts_whatever_its_name(path: str, kind: str) -> None:
    assert kind_from_mounts(MOUNTS, path.encode()) == kind


SHARES = ["cifs", "nfs4", "9p", "drvfs", "vboxsf", "virtiofs", "fuse.sshfs", "fuse.vmhgfs-fuse"]
DISKS = ["ext4", "xfs", "btrfs", "zfs", "overlay", "tmpfs", "fuseblk", "fuse.fuse-overlayfs", ""]


@pytest.mark.parametrize("kind", [*SHARES, "fuse.rclone", "smb3", "fakeowner", "prl_fs", "ceph"])
def test_a_folder_that_another_machine_may_write_to_is_a_share(
    kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(filesystem, "mount_kind", lambda p: kind if p == tmp_path else "ext4")
    assert is_shared(tmp_path)


def test_a_virtual_machine_whose_own_disk_is_given_by_its_host_has_no_share(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(filesystem, "mount_kind", lambda _: "virtiofs")
    assert not is_shared(tmp_path)


@pytest.mark.parametrize("kind", DISKS)
def test_a_disk_of_this_machine_is_none(
    kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(filesystem, "mount_kind", lambda _: kind)
    assert not is_shared(tmp_path)


def test_the_disk_of_this_test_is_one_the_system_names(tmp_path: Path) -> None:
    assert filesystem.mount_kind(tmp_path)


# --- whole files ---


def test_a_private_file_is_private_from_its_first_byte(tmp_path: Path) -> None:
    with atomic_file(tmp_path / "secret", 0o600) as file:
        file.write(b"half")
        file.flush()
        (beside,) = tmp_path.iterdir()
        assert (beside.read_bytes(), beside.stat().st_mode & 0o077) == (b"half", 0)
    assert (tmp_path / "secret").stat().st_mode & 0o777 == 0o600


def test_readers_see_the_old_file_until_the_new_one_is_whole(tmp_path: Path) -> None:
    path = tmp_path / "manifest.json"
    path.write_bytes(b"old")
    with atomic_file(path, 0o644) as file:
        file.write(b"new")
        file.flush()
        assert path.read_bytes() == b"old"
    assert (path.read_bytes(), path.stat().st_mode & 0o777) == (b"new", 0o644)


def test_a_fault_leaves_the_old_file_and_nothing_beside_it(tmp_path: Path) -> None:
    path = tmp_path / "manifest.json"
    path.write_bytes(b"old")
    with contextlib.suppress(OSError), atomic_file(path) as file:
        file.write(b"new")
        raise OSError("the disk is full")
    assert [p.read_bytes() for p in tmp_path.iterdir()] == [b"old"]


def test_a_pipe_or_a_device_is_not_replaced_by_a_file(tmp_path: Path) -> None:
    pipe, link = tmp_path / "pipe", tmp_path / "link"
    os.mkfifo(pipe)
    link.symlink_to(pipe)
    for target in (pipe, link):
        with pytest.raises(OSError, match="not a regular file"):
            replace_with(target, b"new")
    assert pipe.is_fifo()
    assert link.is_symlink()
    assert sorted(tmp_path.iterdir()) == [link, pipe]
