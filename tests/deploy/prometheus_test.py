"""A Prometheus that scrapes a running fleet under our rules: what the fleet exports is what
docs/metrics.md says, every query of the dashboards and every recorded series has data, no alert fires
while the fleet is healthy, jobs that fail are seen, and the number to scale on holds without workers and
while a gateway is lost. Wants `prometheus` and `promtool`; Python's
standard library only."""

import json
import os
import pathlib
import re
import signal
import socket
import subprocess
import tempfile
import time
import unittest
import urllib.parse
import urllib.request

from command import LIMIT, SOURCE, wait_for
from fleet import Fleet
from ports import free_port

DEPLOY = pathlib.Path(SOURCE) / "deploy"
RULES = DEPLOY / "prometheus" / "rules"
PAGE = (pathlib.Path(SOURCE) / "docs" / "metrics.md").read_text(encoding="utf-8")
ROW = re.compile(r"^\| `(phasor_\w+)` \| (\w+) \| ([\w, ]*)\|", re.M)
DOCUMENTED = {name: (kind, {label.strip() for label in labels.split(",") if label.strip()})
              for name, kind, labels in ROW.findall(PAGE.split("## Not exported yet")[0])}
TO_COME = {name for name, _, _ in ROW.findall(PAGE.split("## Not exported yet")[1])}

# Metrics that have no series in this run, and why. Queries for them may be empty.
SILENT = {
    "phasor_store_deleted_total": "nothing is old enough to be swept",
    "phasor_model_swaps_total": "the workers have one model",
    "phasor_refused_calls_total": "nobody is asked who calls",
    "phasor_weights_moved_seconds": "everything stays on the device",
}
# Seen where there is a card alone.
OF_CARDS = {name for name in DOCUMENTED if name.startswith("phasor_gpu_")}
# Other servers' names do not keep promtool's rules.
FOREIGN = "phasor_inference_request_count "
# The same of panels whose metrics are there.
EMPTY = {
    "gpu-memory: Share in use": "the fake engine's device has no bound",
    "gpu-memory: Actual against predicted": "the fake engine predicts nothing",
}


def free_pair():
    """Two free ports in a row."""
    while True:
        first = free_port()
        with socket.socket() as listener:
            try:
                listener.bind(("127.0.0.1", first + 1))
                return first
            except OSError:
                pass


def read(url):
    with urllib.request.urlopen(url, timeout=LIMIT) as answer:
        return answer.read().decode()


class Prometheus:
    """Debian's, with a folder of its own, under the rules of deploy/prometheus."""

    def __init__(self, jobs):
        """`jobs`: targets by job name."""
        self.folder = tempfile.TemporaryDirectory(prefix="phasor-prometheus-")
        self.url = f"http://127.0.0.1:{free_port()}"
        config = os.path.join(self.folder.name, "prometheus.json")  # JSON is YAML
        with open(config, "w", encoding="utf-8") as file:
            json.dump({"global": {"scrape_interval": "1s", "evaluation_interval": "1s"},
                       "rule_files": [str(RULES / "*.yml")],
                       "scrape_configs": [{"job_name": job, "static_configs": [{"targets": targets}]}
                                          for job, targets in jobs.items()]}, file)
        self.log = open(os.path.join(self.folder.name, "log"), "w+", encoding="utf-8")
        self.process = subprocess.Popen(
            ["prometheus", f"--config.file={config}", f"--storage.tsdb.path={self.folder.name}/data",
             f"--web.listen-address={self.url.removeprefix('http://')}", "--log.level=warn"],
            stdout=self.log, stderr=self.log)
        self.began = time.time()
        wait_for("Prometheus", self.is_ready)

    def is_ready(self):
        if self.process.poll() is not None:
            self.log.seek(0)
            raise AssertionError("prometheus ended: " + self.log.read())
        try:
            return read(self.url + "/-/ready")
        except OSError:
            return None

    def ask(self, path, **parameters):
        answer = json.loads(read(f"{self.url}/api/v1/{path}?{urllib.parse.urlencode(parameters)}"))
        assert answer["status"] == "success", answer
        return answer["data"]

    def series(self, query):
        """What a panel would draw since the start: series with at least one number."""
        found = self.ask("query_range", query=query, start=self.began, end=time.time(), step=2)["result"]
        return [one for one in found if any(value != "NaN" for _, value in one["values"])]

    def alerts(self, state):
        return {alert["labels"]["alertname"] for alert in self.ask("alerts")["alerts"] if alert["state"] == state}

    def number(self, query):
        """The one number that a query gives now, or None."""
        found = self.ask("query", query=query)["result"]
        return float(found[0]["value"][1]) if len(found) == 1 else None

    def stop(self):
        self.process.terminate()
        self.process.wait(LIMIT)
        self.log.close()
        self.folder.cleanup()


def worker_ports(fleet):
    """Where the workers' metrics are; each logs the port that it got."""
    ports = []
    for log in sorted(pathlib.Path(fleet.path("logs")).glob("worker-*")):
        ports += re.findall(r"operations port open.*?port=(\d+)", log.read_text(encoding="utf-8"))
    return [int(port) for port in ports]


def panel_queries():
    """(dashboard and panel, query) with the variables at All."""
    for file in sorted((DEPLOY / "grafana" / "dashboards").glob("*.json")):
        for panel in json.loads(file.read_text(encoding="utf-8"))["panels"]:
            for target in panel.get("targets", []):
                query = re.sub(r"\$(namespace|release|model)", ".*", target["expr"])
                yield f"{file.stem}: {panel['title']}", query.replace("$__rate_interval", "30s")


def wait_for_none(ask):
    """Asks until `ask` gives nothing; what it gave last is the failure."""
    end = time.monotonic() + 15
    while (left := ask()) and time.monotonic() < end:
        time.sleep(0.5)
    if left:
        raise AssertionError(f"no data: {left}")


def excused(panel, query):
    """Why a panel's query may be empty, or None."""
    if panel in EMPTY:
        return EMPTY[panel]
    for name in sorted(set(re.findall(r"phasor_\w+", query))):
        if name in TO_COME:
            return f"{name} is not exported yet"
        for silent, why in SILENT.items():
            if re.fullmatch(silent + "(_bucket|_sum|_count)?", name):
                return f"{name}: {why}"
    return None


class PrometheusTest(unittest.TestCase):
    maxDiff = None

    @classmethod
    def setUpClass(cls):
        first = free_pair()
        os.environ["PHASOR_RESULT_CACHE"] = "64MiB"  # of the workers
        cls.fleet = Fleet("--engine", "fake", "--fake-step-ms", "20", "--gateways", "2", "--metrics",
                          f"127.0.0.1:{first}", workers=2)
        cls.addClassCleanup(cls.fleet.stop)
        cls.fleet.address += f",unix:{cls.fleet.directory}/gateway-2.sock"
        ports = wait_for("the workers' ports", lambda: len(worker_ports(cls.fleet)) == 2 and worker_ports(cls.fleet))
        cls.targets = {"gateway": [f"127.0.0.1:{first}", f"127.0.0.1:{first + 1}"],
                       "worker": [f"127.0.0.1:{port}" for port in ports]}
        cls.prometheus = Prometheus(cls.targets)
        cls.addClassCleanup(cls.prometheus.stop)
        wait_for("all targets", lambda: cls.prometheus.number("sum(up)") == 4)

    def ok(self, *arguments):
        code, out, err = self.fleet.phasor(*arguments)
        self.assertEqual(code, 0, err)
        return out.strip()

    def exported(self):
        """(name, kind, label names) of every series that any process shows."""
        for targets in self.targets.values():
            for target in targets:
                kinds = {}
                for line in read(f"http://{target}/metrics").splitlines():
                    if line.startswith("# TYPE "):
                        _, _, name, kind = line.split()
                        kinds[name] = kind
                    elif line and not line.startswith("#"):
                        name = re.match(r"\w+", line).group(0)
                        labels = set(re.findall(r'(\w+)="', line)) - {"le"}
                        base = re.sub(r"_(bucket|sum|count)$", "", name)
                        yield (base, kinds[base], labels) if base in kinds else (name, kinds[name], labels)

    # Named so that they run in this order: each goes on from what the one before made.

    def test_1_a_healthy_fleet_raises_no_alert(self):
        for round_ in range(3):
            for priority in ("low", "normal", "high", "urgent"):
                self.ok("generate", f"a red circle {round_}", "--priority", priority, "--steps", 8,
                        "-o", self.fleet.path(f"{priority}{round_}.png"))
            self.ok("submit", "the same", "--key", "k", "--steps", 2)
            self.ok("generate", "the same again", "--seed", 7, "--steps", 4, "-o", self.fleet.path("again.png"))
        wait_for("all jobs and the rules after them",
                 lambda: self.prometheus.series('sum(phasor_jobs_total{state="DONE"}) >= 16 and '
                                                "sum(phasor:jobs_done:rate5m) > 0"))
        self.assertEqual(self.prometheus.alerts("firing") | self.prometheus.alerts("pending"), set())
        health = {group["name"]: rule["lastError"] for group in self.prometheus.ask("rules")["groups"]
                  for rule in group["rules"] if rule["health"] != "ok"}
        self.assertEqual(health, {}, "rules that can't be evaluated")
        self.assertEqual(len(self.prometheus.series('phasor:workers_taking_jobs == 2')), 1)

    def test_2_failing_jobs_are_seen(self):
        self.ok("limits", "--max-tries", 2, "--preempt-after", 0.5, "--preempt-floor", 0.5)
        self.assertNotEqual(self.fleet.phasor("submit", "x", "--steps", 100000)[0], 0)
        low = [self.ok("submit", f"low {n}", "--steps", 150, "--priority", "low") for n in range(4)]
        wait_for("both workers at work", lambda: self.prometheus.series("max(phasor_queue_running) >= 2"))
        self.ok("generate", "urgent", "--steps", 4, "--priority", "urgent", "-o", self.fleet.path("urgent.png"))
        for prompt in ("fault:internal@step1", "fault:oom@step2x1", "fault:oom@step3"):
            self.fleet.phasor("watch", self.ok("submit", prompt, "--steps", 6))
        for job_id in low:
            self.ok("watch", job_id)
        self.ok("cleanup")
        wait_for("PhasorJobsFail", lambda: "PhasorJobsFail" in self.prometheus.alerts("pending"))

    def test_3_what_is_exported_is_what_the_page_says(self):
        seen = set()
        for name, kind, labels in self.exported():
            self.assertIn(name, DOCUMENTED)
            self.assertEqual((kind, labels), DOCUMENTED[name], name)
            seen.add(name)
        self.assertEqual(set(DOCUMENTED) - seen - set(SILENT) - OF_CARDS, set(), "in the page, and no process shows it")
        self.assertEqual(seen & set(SILENT), set(), "no longer silent")

    def test_4_every_panel_has_data(self):
        queries = list(panel_queries())
        self.assertGreater(len(queries), 80)

        def empty():
            return [(panel, query) for panel, query in queries if not self.prometheus.series(query)]

        def unexcused():
            return [panel for panel, query in empty() if not excused(panel, query)]

        wait_for_none(unexcused)  # what was exported last may not be scraped yet
        for panel, query in empty():
            print(f"empty: {panel}: {excused(panel, query)}")

    def test_5_every_recorded_series_has_data(self):
        recorded = set(re.findall(r"record: (\S+)", (RULES / "recording.yml").read_text(encoding="utf-8")))
        wait_for_none(lambda: [name for name in sorted(recorded) if not self.prometheus.series(name)])
        classes = {one["metric"]["priority"] for one in self.prometheus.series("phasor:starts_in_time:ratio_rate30m")}
        self.assertEqual(classes, {"LOW", "NORMAL", "HIGH", "URGENT"})

    def test_6_promtool_finds_nothing_to_say_of_the_metrics(self):
        for targets in self.targets.values():
            ended = subprocess.run(["promtool", "check", "metrics"], input=read(f"http://{targets[0]}/metrics"),
                                   capture_output=True, text=True, timeout=LIMIT)
            said = [line for line in ended.stderr.splitlines() if not line.startswith(FOREIGN)]
            self.assertEqual(said, [])
            self.assertIn(ended.returncode, (0, 3))  # 3: it said something

    def test_7_the_number_to_scale_on_holds_without_workers_and_with_a_gateway_lost(self):
        for line in self.ok("worker", "list", "--json").splitlines():
            self.ok("worker", "drain", json.loads(line)["name"])
        wait_for("drained workers", lambda: self.prometheus.number("sum(phasor_takes_jobs)") == 0)
        for number in range(3):
            self.ok("submit", f"waits {number}", "--steps", 2)
        wait_for("the demand", lambda: self.prometheus.number("max(phasor_queue_demand_jobs)") == 3)
        wait_for("both gateways' view", lambda: self.prometheus.number("sum(phasor_queue_demand_jobs)") == 6)
        begun = time.time()
        gateway = self.fleet.children()["phasor-gateway"]
        os.kill(gateway, signal.SIGSTOP)
        wait_for("the loss", lambda: self.prometheus.number("count(phasor_queue_up)") == 1)
        os.kill(gateway, signal.SIGKILL)
        wait_for("it is back", lambda: self.prometheus.number("count(phasor_queue_up == 1)") == 2)
        seen = self.prometheus.ask("query_range", query="max(phasor_queue_demand_jobs)", start=begun,
                                   end=time.time(), step=1)["result"][0]["values"]
        self.assertEqual({value for _, value in seen}, {"3"}, "it never jumped")
        self.assertGreaterEqual(len(seen), int(time.time() - begun) - 1, "it never went")
        wait_for("PhasorNoWorkers", lambda: "PhasorNoWorkers" in self.prometheus.alerts("pending"))


if __name__ == "__main__":
    unittest.main(verbosity=2)
