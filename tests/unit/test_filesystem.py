"""What lies on a share is known: the inbox is looked through by the clock, the database refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from consent_gate import filesystem
from consent_gate.filesystem import is_shared, kind_in

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
    assert kind_in(MOUNTS, path.encode()) == kind


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
