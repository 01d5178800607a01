"""Where training keeps its data and state: outside the repository, for they are large."""

import os
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
MODEL = REPOSITORY / "models" / "phasor-demo"


def train_dir() -> Path:
    """$PHASOR_TRAIN_DIR, else ~/.cache/phasor/train; made if missing."""
    chosen = os.environ.get("PHASOR_TRAIN_DIR")
    path = Path(chosen) if chosen else Path.home() / ".cache" / "phasor" / "train"
    path.mkdir(parents=True, exist_ok=True)
    return path
