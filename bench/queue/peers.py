"""The programs that the queue benchmark compares, and how each is used at its best.

Every side is one program that plays the role of producer or consumer and talks to the driver in
the lines that progress.h describes. What is chosen here was the fastest of what each side's
documentation offers, found by trying.
"""

from dataclasses import dataclass
from pathlib import Path

# Jobs of one submit where the API takes several.
PHASOR_BATCH = 64
BULLMQ_BATCH = 200


@dataclass
class Side:
    """How to start a side's processes."""

    name: str
    program: list
    address: str  # option that names Redis's socket, with its value
    producer: list  # options of the producer, its calls at a time included
    consumers: int = 1  # processes among which the workers are divided
    share: str = ""  # option of a consumer that divides its workers once more
    shares: int = 0

    def produce(self, jobs, payload):
        return [*self.program, self.address, f"--jobs={jobs}", f"--payload={payload}",
                *self.producer, "produce"]

    def consume(self, workers):
        count = min(self.consumers, workers)
        share = [f"{self.share}={min(self.shares, workers)}"] if self.share else []
        command = [*self.program, self.address, f"--workers={workers // count}", *share, "consume"]
        return [command] * count

    def takes(self, jobs, workers):
        return [*self.program, self.address, f"--jobs={jobs}", f"--workers={workers}", "takes"]


def sides(args, socket):
    chosen = {
        # Calls of one connection travel together; several keep Redis busy meanwhile.
        "phasor": Side("phasor", [str(args.phasor)], f"--redis=unix://{socket}",
                       ["--workers=4", f"--batch={PHASOR_BATCH}", f"--tenants={args.tenants}"],
                       share="--connections", shares=args.phasor_connections),
        # No bulk submit; calls from many goroutines over as many connections. A server fetches
        # tasks on one goroutine, so several servers are faster than one.
        "asynq": Side("asynq", [str(args.asynq)], f"--socket={socket}", ["--workers=64"],
                      share="--servers", shares=args.asynq_servers),
        # Node runs on one thread, so the producer and each consumer are processes.
        "bullmq": Side("bullmq", ["node", str(Path(args.bullmq) / "main.mjs")],
                       f"--socket={socket}", ["--workers=4", f"--batch={BULLMQ_BATCH}"],
                       consumers=args.bullmq_processes),
    }
    return {name: chosen[name] for name in args.sides.split(",")}
