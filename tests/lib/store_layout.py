"""What the tests know of the folder store's tree: common/storage/fs/layout.h."""

import os
import re

ID = re.compile(r"[a-z2-7]{32}(#\d{1,5})?")


def path_of(root, key):
    """Of a key or a prefix of keys that ends with a segment."""
    parts = key.split("/")
    if parts[0] == "jobs" and len(parts) > 1 and ID.fullmatch(parts[1]):
        parts[1:1] = [parts[1][:2], parts[1][2:4]]
    return os.path.join(root, *parts)


def key_of(root, path):
    parts = os.path.relpath(path, root).split(os.sep)
    if parts[0] == "jobs" and len(parts) > 3 and ID.fullmatch(parts[3]):
        del parts[1:3]
    return "/".join(parts)


def job_folders(root):
    """Job -> its folder, of all that lie in shards."""
    found, level = {}, [os.path.join(root, "jobs")]
    for depth in range(3):
        below = []
        for folder in level:
            try:
                below += list(os.scandir(folder))
            except OSError:  # not made yet, or cleared away meanwhile
                continue
        if depth == 2:
            found = {entry.name: entry.path for entry in below}
        level = [entry.path for entry in below]
    return found
