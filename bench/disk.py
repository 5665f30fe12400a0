"""A journaled ext4 of one's own, on a loop mount: figures from elsewhere mean nothing."""
import shutil
import subprocess
import tempfile
from pathlib import Path


class Ext4:
    def __init__(self, megabytes=6000, options=()):
        self.base = Path(tempfile.mkdtemp(prefix="postroad-ext4-", dir="/var/tmp"))
        self.base.chmod(0o755)
        self.image, self.mount = self.base / "image", self.base / "mount"
        self.mount.mkdir()
        try:
            subprocess.run(["truncate", "-s", f"{megabytes}M", self.image], check=True)
            subprocess.run(["mkfs.ext4", "-q", "-F", *options, self.image], check=True)
            subprocess.run(["mount", "-o", "loop", self.image, self.mount], check=True)
            self.mount.chmod(0o755)
        except BaseException:
            self.remove()
            raise

    def __enter__(self):
        return self.mount

    def __exit__(self, *exc):
        self.remove()

    def remove(self):
        """The mount goes at once, and the loop device when its last process does."""
        if self.mount.is_mount():
            subprocess.run(["umount", "-l", self.mount])
        shutil.rmtree(self.base, ignore_errors=True)
