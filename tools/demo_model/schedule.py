"""Learning rate over a run that ends at a step or at a time of day."""

import math
import time
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta, timezone


@dataclass
class Schedule:
    """Warm-up, then a cosine down to zero at `steps` more steps or at `until` (Unix seconds)."""

    peak: float
    start_step: int
    start_time: float
    steps: int | None
    until: float | None
    warmup: int = 100

    def progress(self, step: int) -> float:
        """0 at the start, 1 when the run is over."""
        if self.until is not None:
            return (time.time() - self.start_time) / max(self.until - self.start_time, 1)
        return (step - self.start_step) / self.steps

    def rate(self, step: int, progress: float) -> float:
        warm = min(1.0, (step - self.start_step + 1) / self.warmup)
        return self.peak * warm * 0.5 * (1 + math.cos(math.pi * min(1.0, progress)))

    def same_end(self, other: dict | None) -> bool:
        """Whether a stored schedule is this one, begun earlier and interrupted."""
        return bool(other) and other["until"] == self.until and other["steps"] == self.steps

    def stored(self) -> dict:
        return asdict(self)


def parse_until(text: str) -> float:
    """ "14:20" (UTC, the next time the clock shows it) or an ISO date and time."""
    if len(text) > 5:
        return datetime.fromisoformat(text).replace(tzinfo=timezone.utc).timestamp()
    now = datetime.now(timezone.utc)
    hour, minute = map(int, text.split(":"))
    moment = now.replace(hour=hour, minute=minute, second=0, microsecond=0)
    return (moment if moment > now else moment + timedelta(days=1)).timestamp()
