"""A copy of the committed sources, in which one bug after the other is made and built."""
import io
import os
import shutil
import subprocess
import tarfile
from pathlib import Path

from .stack import ROOT


class CannotBuild(Exception):
    """The sentence names the command and where its output is."""


class Workshop:
    """`ready`: a folder for each bug whose binaries are built. It lies in the copy, where `semel` looks for what belongs
    to it."""

    def __init__(self, folder, builder=(), jobs=2, targets=()):
        self.copy, self.logs = folder / "src", folder / "log"
        self.ready = self.copy / "build/ready"
        self.builder, self.jobs = tuple(builder), jobs
        self.targets = tuple(targets)  # none: the preset's

    def command(self, words, log):
        """Runs it in the copy; its output goes to a file."""
        # The copy lies in a working tree, whose paths git would otherwise take for the patch's.
        alone = {**os.environ, "GIT_CEILING_DIRECTORIES": str(self.copy.parent)}
        with open(log, "ab") as out:
            # A session of its own: who stops the run waits for what is begun here.
            done = subprocess.run([str(w) for w in words], stdout=out, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL,
                                  cwd=self.copy, env=alone, start_new_session=True)
        if done.returncode != 0:
            raise CannotBuild(f"`{' '.join(map(str, words))}` failed; see {log}")

    def copy_sources(self):
        """What is committed. A file that did not change keeps its time, so that only the others are built."""
        archive = subprocess.run(["git", "archive", "HEAD"], cwd=ROOT, stdout=subprocess.PIPE, check=True).stdout
        self.copy.mkdir(parents=True, exist_ok=True)
        self.logs.mkdir(parents=True, exist_ok=True)
        shutil.rmtree(self.ready, ignore_errors=True)
        wanted = set()
        with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
            for member in tar:
                if not member.isfile():
                    continue
                file = self.copy / member.name
                wanted.add(file)
                data = tar.extractfile(member).read()
                if not file.is_file() or file.read_bytes() != data:
                    file.parent.mkdir(parents=True, exist_ok=True)
                    file.write_bytes(data)
                file.chmod(member.mode | 0o200)
        self.remove_others(wanted)
        # What deploy/setup has brought.
        if not (self.copy / ".cache").exists():
            (self.copy / ".cache").symlink_to(ROOT / ".cache")

    def remove_others(self, wanted):
        for folder, folders, names in os.walk(self.copy):
            if Path(folder) == self.copy:
                folders[:] = [f for f in folders if f not in ("build", ".cache")]
            for name in names:
                file = Path(folder) / name
                if file not in wanted and not file.is_symlink() and file.suffix != ".pyc":
                    file.unlink()

    def configure(self):
        self.command([*self.builder, "cmake", "--preset", "chaos"], self.logs / "configure.log")

    def build(self, name, patch=None):
        """The binaries of the sources with this patch, in a folder of their own."""
        log = self.logs / f"{name}.build.log"
        log.unlink(missing_ok=True)
        if patch:
            self.command(["git", "apply", patch], log)
        try:
            only = ["--target", *self.targets] if self.targets else []  # behind "--" they would be built beside the preset's
            self.command([*self.builder, "cmake", "--build", "--preset", "chaos", *only, "--", f"-j{self.jobs}"], log)
            shutil.copytree(self.copy / "build/chaos/bin", self.binaries(name), dirs_exist_ok=True)
        finally:
            if patch:
                self.command(["git", "apply", "--reverse", patch], log)

    def binaries(self, name):
        return self.ready / name

    def clear(self, name):
        shutil.rmtree(self.binaries(name), ignore_errors=True)
