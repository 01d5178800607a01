"""Where models come from."""

import functools
import hashlib
import http.server
import os
import pathlib
import re
import shutil
import subprocess
import tempfile
import threading
import unittest

from chart import env_of, model, render


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_):
        pass


class ModelSources(unittest.TestCase):
    def pod(self, source, **options):
        rendered = render({"models": [model(source=source)]}, **options)
        return rendered["Deployment", "r-phasor-worker-m"]["spec"]["template"]["spec"]

    def test_baked(self):
        pod = self.pod({"type": "baked", "path": "/opt/m"})
        self.assertEqual(env_of(pod["containers"][0])["PHASOR_MODELS"], "/opt/m")

    def test_a_volume(self):
        pod = self.pod({"type": "pvc", "claimName": "c", "subPath": "x/m"})
        mount = next(one for one in pod["containers"][0]["volumeMounts"] if one["name"] == "model")
        self.assertEqual((mount["mountPath"], mount["subPath"], mount["readOnly"]),
                         ("/models/m", "x/m", True))

    def test_a_download_that_is_checked(self):
        pod = self.pod({"type": "download", "url": "https://h/m.tar", "sha256": "a" * 64,
                        "tokenSecret": {"name": "t"}})
        one = pod["initContainers"][0]
        self.assertEqual(env_of(one)["SHA256"], "a" * 64)
        self.assertIn("sha256sum -c", one["args"][0])
        mount = next(v for v in pod["containers"][0]["volumeMounts"] if v["name"] == "model")
        self.assertEqual((mount["readOnly"], mount["subPath"]), (True, "files"))

    def download(self, folder, sha256):
        """Runs the container's script in `folder`, from a server on this machine; its exit code."""
        source = {"type": "download", "url": "http://h/m.tar", "sha256": "a" * 64}
        script = self.pod(source)["initContainers"][0]["args"][0]
        for path in ("model", "cards", "tmp"):
            (folder / path).mkdir(exist_ok=True)
        script = re.sub(r"(?<![\w.])/(?=(model|cards|tmp)\b)", f"{folder}/", script)
        (folder / "cards/phasor.yaml").write_text("name: m")
        handler = functools.partial(Quiet, directory=folder)
        with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
            threading.Thread(target=server.serve_forever, daemon=True).start()
            env = {**os.environ, "URL": f"http://127.0.0.1:{server.server_port}/m.tar",
                   "SHA256": sha256}
            code = subprocess.run(["sh", "-euc", script], env=env, capture_output=True).returncode
            server.shutdown()
        return code

    @unittest.skipUnless(shutil.which("curl"), "needs curl, as the container's image has it")
    def test_the_download_is_unpacked_and_gets_its_card_only_if_its_sum_is_right(self):
        with tempfile.TemporaryDirectory() as name:
            folder = pathlib.Path(name)
            (folder / "model_index.json").write_text("{}")
            (folder / "m").mkdir()
            (folder / "model_index.json").rename(folder / "m/model_index.json")
            subprocess.run(["tar", "-C", folder / "m", "-cf", folder / "m.tar", "."], check=True)
            right = hashlib.sha256((folder / "m.tar").read_bytes()).hexdigest()
            self.assertNotEqual(self.download(folder, "b" * 64), 0)
            self.assertFalse((folder / "model/files/model_index.json").exists())
            self.assertEqual(self.download(folder, right), 0)
            self.assertEqual(sorted(path.name for path in (folder / "model/files").iterdir()),
                             ["model_index.json", "phasor.yaml"])

    def test_an_image(self):
        pod = self.pod({"type": "oci", "reference": "r/m@sha256:1", "path": "/m"})
        volume = next(one for one in pod["volumes"] if one["name"] == "model")
        self.assertEqual(volume["image"]["reference"], "r/m@sha256:1")
        self.assertEqual(env_of(pod["containers"][0])["PHASOR_MODELS"], "/models/m/m")
