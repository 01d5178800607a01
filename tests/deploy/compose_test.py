#!/usr/bin/env python3
"""`docker compose up` as a new user would: builds the images, draws through the published port, and then kills every
container under a stream of jobs: first its process, which compose's restart brings back, then the container itself,
which `up` does. Each job ends with one picture, to the bytes of an undisturbed run.

    compose_test.py [--built] [--jobs N] [--steps N] [--pause SECONDS] [--keep FILE]

Wants docker with compose, root (processes are killed from outside), Debian's images or tests/deploy/stand_ins.sh before, and
BIN_DIR for the command line on this machine. The project's volumes are its own and deleted afterwards. Prometheus is asked
whether it sees everybody; Grafana, where its image is there, for its dashboards.
"""

import argparse
import json
import os
import pathlib
import signal
import subprocess
import sys
import tempfile
import urllib.request

from stream import LIMIT, Client, check_stream, expect, run, within

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib"))
from ports import free_port  # noqa: E402

ROOT = pathlib.Path(__file__).resolve().parents[2]
SERVICES = ("redis", "gateway", "worker")
GRAFANA = "docker.io/grafana/grafana:12.1.0"


class Project:
    """The compose file under a name of its own."""

    def __init__(self, folder):
        self.folder, self.port = folder, free_port()
        self.environment = {**os.environ, "PHASOR_PORT": str(self.port), "PHASOR_UID": str(os.getuid())}

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self("--profile", "monitoring", "--profile", "tools", "down", "--volumes", "--timeout", "30")

    def __call__(self, *words, check=True):
        command = ["docker", "compose", "--project-name", "phasor-compose-test", *words]
        ended = subprocess.run(command, cwd=ROOT, env=self.environment, capture_output=True, text=True)
        if check:
            expect(f"docker compose {' '.join(words)}", ended.returncode == 0,
                   ended.stdout[-2000:] + ended.stderr[-4000:])
        return ended

    def containers(self, service):
        return self("ps", "--quiet", service, check=False).stdout.split()


class Disturbance:
    """Processes die, containers are killed, one after the other."""

    def __init__(self, project):
        self.project, self.done = project, {}

    def go_on(self, step):
        service = SERVICES[step % len(SERVICES)]
        containers = self.project.containers(service)
        if not containers:
            return
        one = containers[step // len(SERVICES) % len(containers)]
        if step // len(SERVICES) % 2 == 0:
            pid = int(run("docker", "inspect", "--format", "{{.State.Pid}}", one))
            if pid == 0:
                return
            os.kill(pid, signal.SIGKILL)
            what = f"process of {service} killed"
        else:
            run("docker", "kill", one, check=False)
            self.project("up", "--detach", "--no-build", check=False)
            what = f"{service} killed"
        self.done[what] = self.done.get(what, 0) + 1


def answers(url):
    with urllib.request.urlopen(url, timeout=5) as answer:
        return json.load(answer)


def seen(job):
    """How many of a job Prometheus reaches."""
    found = answers(f"http://127.0.0.1:9090/api/v1/query?query=sum(up{{job=%22{job}%22}})")
    values = [float(one["value"][1]) for one in found["data"]["result"]]
    return int(values[0]) if values else 0


def monitoring(project):
    has_grafana = run("docker", "image", "inspect", GRAFANA, check=False).returncode == 0
    services = ["prometheus"] + ["grafana"] * has_grafana
    project("--profile", "monitoring", "up", "--detach", *services)
    within(60, "Prometheus sees the gateway and both workers",
           lambda: seen("gateway") == 1 and seen("worker") == 2)
    if has_grafana:
        within(60, "Grafana lists the four dashboards",
               lambda: len(answers("http://admin:admin@127.0.0.1:3000/api/search?type=dash-db")) == 4)
    else:
        print("--    no image of Grafana: its dashboards were not asked for")


def drawn_by_the_image(project, out):
    out.chmod(0o777)
    project("run", "--rm", "--no-deps", "--volume", f"{out}:/out", "phasor", "generate",
            "a red circle on a blue background", "--output", "/out/circle.png")
    expect("a picture from the command line's image",
           (out / "circle.png").read_bytes().startswith(b"\x89PNG"))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--built", action="store_true", help="the images are there")
    parser.add_argument("--jobs", type=int, default=40)
    parser.add_argument("--steps", type=int, default=20)
    parser.add_argument("--pause", type=float, default=12, help="seconds between two events")
    parser.add_argument("--keep", type=pathlib.Path, help="where a picture goes")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name, Project(pathlib.Path(name)) as project:
        folder = pathlib.Path(name)
        if not options.built:
            project("--profile", "tools", "build")
        project("up", "--no-build", "--detach", "--wait", "--wait-timeout", str(LIMIT))
        drawn_by_the_image(project, folder)
        client = Client(f"127.0.0.1:{project.port}")
        expect("the published port answers", client("models").returncode == 0)
        monitoring(project)
        disturbance = Disturbance(project)
        picture = check_stream(client, options, folder, disturbance)
        if options.keep:
            picture.rename(options.keep)
        print(f"{options.jobs} jobs; {disturbance.done}")
    left = run("docker", "ps", "--all", "--quiet", "--filter", "label=com.docker.compose.project=phasor-compose-test")
    expect("nothing is left", not left.strip())


if __name__ == "__main__":
    main()
