"""The result stores of a fleet, as a test sees them: what their services are told, and what lies in
them, read behind the services' backs. One in Redis or S3 has a relay with a door for each service,
so that it can refuse one of them, or all, or be slow.

Their interface is FolderStore's. What can't be read now is StoreIsAway.
"""

import asyncio
import os
import re
import subprocess
import tempfile
import urllib.error
import urllib.parse
import urllib.request
import xml.etree.ElementTree

import store_layout
from command import SOURCE, wait_for
from processes import Process, Redis
from proxy import Proxy
from relay import Link, Relay
from rule import LOSE_REPLY, LOSE_REQUEST


class StoreIsAway(Exception):
    pass


class FolderStore:
    relay = None

    def __init__(self, directory, seed):
        self._folder = os.path.join(directory, "store.data")
        self._way = os.path.join(directory, "store")  # what the services use leads there

    def start(self):
        os.makedirs(self._folder)
        self.come_back()

    def stop(self):
        pass

    def clear(self):
        """No faults any more."""
        self.come_back()

    def go_away(self):
        """No service reaches it any more, as when its file system does not answer."""
        self._lead_to("store")  # round and round

    def come_back(self):
        self._lead_to("store.data")

    def unmount(self):
        """An empty folder is in its place, as beside a volume's mount point."""
        os.makedirs(self._folder + ".beside")
        self._lead_to("store.data.beside")

    def mount(self):
        """It is back; gives the names of files that were written in its place."""
        self.come_back()
        return [name for _, _, names in os.walk(self._folder + ".beside") for name in names]

    def _lead_to(self, target):
        os.symlink(target, self._way + ".new")
        os.replace(self._way + ".new", self._way)

    def admit(self, service):
        """Gives the service its way to the store."""

    def record_stamps(self):
        """Job -> something that changes when its terminal record does."""
        stamps = {}
        for job, folder in store_layout.job_folders(self._folder).items():
            try:
                info = os.stat(os.path.join(folder, "terminal"))
            except OSError:
                continue
            stamps[job] = (info.st_ino, info.st_mtime_ns, info.st_size)
        return stamps

    def read(self, key):
        """Its bytes, None if there is none."""
        try:
            with open(store_layout.path_of(self._folder, key), "rb") as file:
                return file.read()
        except FileNotFoundError:
            return None

    def keys(self, prefix):
        """All that begin with the prefix."""
        found = []
        for folder, _, names in os.walk(self._folder):
            found += [store_layout.key_of(self._folder, os.path.join(folder, name))
                      for name in names]
        return sorted(key for key in found if key.startswith(prefix))


class SmallDisk(FolderStore):
    """A folder on a volume of its own, which can be full. Needs the right to mount one."""

    def start(self):
        super().start()
        self._mount(f"size={self.ROOMY}")

    def stop(self):
        subprocess.run(["umount", "--lazy", self._folder], check=True)

    def clear(self):
        super().clear()
        self.free()

    def fill(self):
        """Not a byte more fits."""
        def shrunk():
            volume = os.statvfs(self._folder)
            used = (volume.f_blocks - volume.f_bfree) * volume.f_frsize
            return self._remount(max(used, volume.f_frsize))
        wait_for("a full volume", shrunk, pause=0.01)  # it may have grown in between

    def free(self):
        self._remount(self.ROOMY)

    @classmethod
    def possible(cls):
        """Whether this process may mount a volume."""
        with tempfile.TemporaryDirectory() as folder:
            mounted = subprocess.run(["mount", "-t", "tmpfs", "phasor", folder],
                                     stderr=subprocess.DEVNULL, check=False).returncode == 0
            if mounted:
                subprocess.run(["umount", folder], check=True)
            return mounted

    ROOMY = 2 << 30

    def _mount(self, options):
        subprocess.run(["mount", "-t", "tmpfs", "-o", options, "phasor", self._folder], check=True)

    def _remount(self, size):
        if not os.path.ismount(self._folder):
            return False  # before its start or after its end
        return subprocess.run(["mount", "-o", f"remount,size={size}", self._folder],
                              stderr=subprocess.DEVNULL, check=False).returncode == 0


class RemoteStore:
    """What the two others have in common: a server behind a relay."""

    def start(self):
        self.server.start()

    def stop(self):
        if self.server.process is not None:
            self.server.kill()
        self.relay.stop()

    def clear(self):
        self.relay.clear()

    def go_away(self):
        self.relay.refuse()

    def come_back(self):
        self.relay.heal()

    def record_stamps(self):
        return {key.split("/")[1]: stamp for key, stamp in self._stamps("jobs/").items()
                if key.endswith("/terminal")}

    def keys(self, prefix):
        return sorted(self._stamps(prefix))


class RedisStore(RemoteStore):
    """In a Redis of its own, next to that of the queue."""

    OBJECTS, INDEX = b"{phasor-store}:o:", "{phasor-store}:index"

    def __init__(self, directory, seed):
        self._directory = os.path.join(directory, "store-redis")
        self.server = Redis(self._directory)
        self.relay = Proxy(self.server.socket, seed)

    def admit(self, service):
        door = os.path.join(self._directory, service.name)
        self.relay.add_door(service.name, door)
        service.store = "unix://" + door

    @staticmethod
    def creates_record(call):
        return call.command[0] == b"EVAL" and call.command[3].endswith(b"/terminal")

    def read(self, key):
        value = self._ask("GET", self.OBJECTS + key.encode())
        return None if value is None else value.split(b"\n", 1)[1]  # behind the time of writing

    def _stamps(self, prefix):
        keys = self._ask("ZRANGEBYLEX", self.INDEX, "[" + prefix, b"[" + prefix.encode() + b"\xff")
        values = self._ask("MGET", *(self.OBJECTS + key for key in keys)) if keys else []
        return {key.decode(): value for key, value in zip(keys, values) if value is not None}

    def _ask(self, *command):
        try:
            with self.server.client() as redis:
                return redis(*command)
        except (OSError, RuntimeError) as error:  # down, or it loads its file
            raise StoreIsAway from error


class HttpCall:
    """A request as rules look at it."""

    def __init__(self, client, name, path):
        self.client, self.name, self.path = client, name, path
        self.parts = [self]

    def is_script(self):
        return True


class HttpLink(Link):
    """Knows where requests begin, which come one after another."""

    HEAD = re.compile(rb"([A-Z]+) (\S+) HTTP/1\.1\r\n")

    def __init__(self, *arguments):
        super().__init__(*arguments)
        self._call = None

    def passes_request(self, data):
        head = self.HEAD.match(data)
        if head:
            self._call = HttpCall(self.door.client, *(part.decode() for part in head.groups()))
        return not (head and self.relay.verdict(LOSE_REQUEST, self._call))

    def passes_reply(self, data):
        call, self._call = self._call, None
        return not (call and self.relay.verdict(LOSE_REPLY, call))


class S3Server(Process):
    """moto with a check of signatures: tests/integration/s3_server.py. What it holds is gone when
    it ends."""

    ENVIRONMENT = {"AWS_ACCESS_KEY_ID": "phasor-test", "no_proxy": "127.0.0.1",
                   "AWS_SECRET_ACCESS_KEY": "a/secret+with=odd:characters"}

    def __init__(self, directory):
        super().__init__("s3", directory)
        self.port = self.back_door = None

    def arguments(self):
        cache = os.environ.get("PHASOR_CACHE_DIR") or os.path.join(
            os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache"), "phasor")
        python = os.path.join(cache, "s3-server", "bin", "python")
        if not os.path.exists(python):
            raise AssertionError(f"{python} is missing: ./dev test installs it (moto, an S3 server)")
        return [python, "-B", os.path.join(SOURCE, "tests", "integration", "s3_server.py")]

    def start(self):
        super().start()
        ready = re.compile(r"ready (\d+) (\d+)")
        words = wait_for("the S3 server", lambda: ready.search(self.log_text()))
        self.port, self.back_door = map(int, words.groups())
        return self


class S3Store(RemoteStore):
    def __init__(self, directory, seed):
        self.server = S3Server(directory)
        self.relay = Relay(lambda: asyncio.open_connection("127.0.0.1", self.server.port), seed,
                           HttpLink)

    def admit(self, service):
        door = self.relay.add_tcp_door(service.name)
        service.store = f"s3://phasor/fleet?endpoint=http://127.0.0.1:{door}&timeout=3s"
        service.environment.update(S3Server.ENVIRONMENT)

    @staticmethod
    def creates_record(call):
        return call.name == "PUT" and call.path.endswith("/terminal")

    def read(self, key):
        return self._get("/phasor/fleet/" + urllib.parse.quote(key))

    def _stamps(self, prefix):
        stamps, token = {}, None
        while True:
            query = {"list-type": "2", "prefix": "fleet/" + prefix}
            if token:
                query["continuation-token"] = token
            page = xml.etree.ElementTree.fromstring(
                self._get("/phasor?" + urllib.parse.urlencode(query)))
            for item in page.iterfind("{*}Contents"):
                key = item.findtext("{*}Key").removeprefix("fleet/")
                stamps[key] = (item.findtext("{*}ETag"), item.findtext("{*}LastModified"))
            token = page.findtext("{*}NextContinuationToken")
            if not token:
                return stamps

    def _get(self, path):
        if self.server.back_door is None:
            raise StoreIsAway  # it starts
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        try:
            with opener.open(f"http://127.0.0.1:{self.server.back_door}{path}", timeout=30) as reply:
                return reply.read()
        except urllib.error.HTTPError as error:
            if error.code == 404:
                return None
            raise
        except OSError as error:
            raise StoreIsAway from error
