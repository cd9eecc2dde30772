"""Building and running the image with buildah and podman."""

import os
import shutil
import subprocess
import uuid
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).parents[3]
LOCAL_BASE = "localhost/headrace-base:bookworm"
BASE_VARIABLE = "HEADRACE_TEST_IMAGE_BASE"
IMAGE_VARIABLE = "HEADRACE_TEST_IMAGE"

# As in the chart: nothing of the image can be written to.
CONFINED = ("--read-only", "--cap-drop=ALL", "--security-opt=no-new-privileges", "--tmpfs=/tmp")


def missing() -> str | None:
    """Why the image cannot be built here; None when it can."""
    for tool in ("buildah", "podman"):
        if shutil.which(tool) is None:
            return f"no {tool}: apt-get install buildah podman runc debootstrap"
    if IMAGE_VARIABLE not in os.environ and base() is None:
        return "no base image: run tests/acceptance/image/make-base.sh, or name one in " + BASE_VARIABLE
    return None


def base() -> str | None:
    """The base image to build on: named by the environment, or made by make-base.sh."""
    name = os.environ.get(BASE_VARIABLE, LOCAL_BASE)
    found = podman("image", "exists", name, check=False)
    return name if found.returncode == 0 else None


def build(tag: str) -> str:
    """Build the Dockerfile on the network and with the authorities of this machine."""
    arguments = ["--isolation=chroot", "--pull-never", "--network=host", "--format=docker"]
    arguments += ["--volume=/etc/ssl/certs:/etc/ssl/certs:ro", f"--build-arg=BASE={base()}", f"--tag={tag}"]
    done = subprocess.run(
        ["buildah", "bud", *arguments, str(ROOT)], capture_output=True, text=True, timeout=900, check=False
    )
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-4000:]
    return tag


def podman(*arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(
        ["podman", *arguments], capture_output=True, text=True, timeout=120, check=False, env=_environment()
    )
    assert not check or done.returncode == 0, f"podman {' '.join(arguments)}: {done.stderr[-4000:]}"
    return done


def run(image: str, *arguments: str, options: tuple[str, ...] = (), check: bool = True) -> str:
    """Run the image once, confined, and return what it printed."""
    return podman("run", "--rm", *CONFINED, "--network=host", *options, image, *arguments, check=check).stdout


def variables(settings: dict[str, str]) -> tuple[str, ...]:
    """Options that set them in a container."""
    return tuple(f"--env={name}={value}" for name, value in settings.items())


@dataclass
class Container:
    """A confined container in the background."""

    image: str
    arguments: tuple[str, ...]
    environment: dict[str, str]
    name: str = field(default_factory=lambda: f"headrace-test-{uuid.uuid4().hex[:8]}")

    def start(self) -> None:
        options = ("--detach", f"--name={self.name}", *variables(self.environment))
        podman("run", *CONFINED, "--network=host", *options, self.image, *self.arguments)

    def stop(self, *, within_seconds: int) -> int:
        """SIGTERM, SIGKILL at the bound. The exit code."""
        podman("stop", f"--time={within_seconds}", self.name)
        return int(podman("inspect", "--format={{.State.ExitCode}}", self.name).stdout)

    def log(self) -> str:
        shown = podman("logs", self.name, check=False)
        return shown.stdout + shown.stderr

    def remove(self) -> None:
        podman("rm", "--force", "--volumes", self.name, check=False)


def _environment() -> dict[str, str]:
    return os.environ | {"CONTAINERS_CONF": str(Path(__file__).with_name("containers.conf"))}
