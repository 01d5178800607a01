"""Redis, the store, and the secrets of both."""

import pathlib
import shutil
import subprocess
import tempfile
import time
import unittest

from chart import GATEWAY, WORKER, container, env_of, password_of, render


class Redis(unittest.TestCase):
    def test_is_what_the_queue_asks_for(self):
        conf = render()["ConfigMap", "r-phasor-redis"]["data"]["redis.conf"]
        for line in ("appendonly yes", "maxmemory-policy noeviction", "maxmemory 768mb"):
            self.assertIn(line, conf.splitlines())

    def test_has_a_volume_and_without_one_a_folder(self):
        stateful = render()["StatefulSet", "r-phasor-redis"]["spec"]
        self.assertEqual(stateful["volumeClaimTemplates"][0]["metadata"]["name"], "data")
        stateful = render({"redis": {"persistence": {"enabled": False}}})
        stateful = stateful["StatefulSet", "r-phasor-redis"]["spec"]
        self.assertNotIn("volumeClaimTemplates", stateful)
        self.assertIn("data", [one["name"] for one in stateful["template"]["spec"]["volumes"]])

    def test_an_external_one_replaces_it_with_user_password_and_database(self):
        rendered = render({"redis": {"enabled": False,
                                     "external": {"host": "h", "port": 7, "user": "u", "database": 2},
                                     "auth": {"existingSecret": "s", "key": "k"}}})
        self.assertFalse(rendered.of("StatefulSet"))
        for key in (GATEWAY, WORKER):
            self.assertEqual(env_of(container(rendered, key))["PHASOR_REDIS"], "redis://u:@h:7/2")
            self.assertEqual(password_of(rendered, key), ("s", "k"))

    def test_an_external_one_without_a_password(self):
        rendered = render({"redis": {"enabled": False, "external": {"host": "h"}}})
        env = env_of(container(rendered, GATEWAY))
        self.assertEqual(env["PHASOR_REDIS"], "redis://h:6379")
        self.assertNotIn("PHASOR_REDIS_PASSWORD_FILE", env)

    def test_sentinels_tell_where_it_is_to_queue_and_store_and_may_be_reached(self):
        rendered = render({"redis": {"enabled": False,
                                     "external": {"user": "u", "database": 2, "tls": True, "sentinel": {
                                         "hosts": ["one", "two:7"], "master": "my master"}},
                                     "auth": {"existingSecret": "s"}}})
        for key in (GATEWAY, WORKER):
            env = env_of(container(rendered, key))
            url = "rediss-sentinel://u:@one:26379,two:7/2?master=my+master"
            self.assertEqual(env["PHASOR_REDIS"], url.replace("+", "%20"))
            self.assertEqual(env["PHASOR_STORE"], url.replace("+", "%20") + "&ttl=24h")
        policy = rendered["NetworkPolicy", "r-phasor-worker"]
        ports = [port["port"] for rule in policy["spec"]["egress"] for port in rule.get("ports", [])]
        for port in (6379, 26379, 7):
            self.assertIn(port, ports)

    def test_its_password_is_a_file_and_in_no_variable_and_no_argument(self):
        rendered = render()
        for key in (GATEWAY, WORKER):
            self.assertEqual(password_of(rendered, key), ("r-phasor-secrets", "redis-password"))
        for _, pod in rendered.pods():
            for one in pod["containers"]:
                self.assertFalse([v for v in one.get("env", []) if "secretKeyRef" in v.get("valueFrom", {})])
        redis = container(rendered, ("StatefulSet", "r-phasor-redis"))
        self.assertNotIn("args", redis)
        self.assertIn("/etc/phasor/redis-password", [m["mountPath"] for m in redis["volumeMounts"]])

    @unittest.skipUnless(shutil.which("redis-server"), "needs a redis-server")
    def test_the_server_starts_with_the_password_of_the_file(self):
        redis = container(render(), ("StatefulSet", "r-phasor-redis"))
        ping = redis["readinessProbe"]["exec"]["command"]
        with tempfile.TemporaryDirectory() as folder:
            def here(words):
                paths = {"/etc/phasor/redis-password": folder, "/etc/redis": folder,
                         "redis-cli": f"redis-cli -s {folder}/socket"}
                for path, instead in paths.items():
                    words = [word.replace(path, instead) for word in words]
                return words
            password = pathlib.Path(folder, "password")
            password.write_text("a b$HOME'c")
            pathlib.Path(folder, "redis.conf").write_text(
                f"port 0\nunixsocket {folder}/socket\ndir {folder}\nsave ''\n")
            server = subprocess.Popen(here(redis["command"]), stdout=subprocess.DEVNULL)
            try:
                for _ in range(200):
                    answer = subprocess.run(here(ping), capture_output=True, text=True)
                    if answer.stdout == "PONG\n":
                        break
                    time.sleep(0.05)
                self.assertEqual(answer.stdout, "PONG\n", answer.stderr)
                with open(f"/proc/{server.pid}/cmdline") as line:
                    self.assertTrue(line.read().startswith("redis-server"), "it is not the shell")
                password.write_text("another")
                self.assertNotEqual(subprocess.run(here(ping), capture_output=True).returncode, 0)
            finally:
                server.terminate()
                server.wait()


    def test_an_external_one_with_tls_has_its_authorities_from_a_secret(self):
        rendered = render({"redis": {"enabled": False, "external": {
            "host": "h", "tls": True, "tlsSecret": "vouches", "tlsShown": True}}})
        for key in (GATEWAY, WORKER):
            one = container(rendered, key)
            env = env_of(one)
            self.assertEqual(env["PHASOR_REDIS"], "rediss://h:6379")
            self.assertEqual(env["PHASOR_REDIS_CA"], "/etc/phasor/redis-tls/ca.crt")
            self.assertEqual(env["PHASOR_REDIS_KEY"], "/etc/phasor/redis-tls/tls.key")
            self.assertIn("/etc/phasor/redis-tls", [m["mountPath"] for m in one["volumeMounts"]])


class Secrets(unittest.TestCase):
    def test_are_made_once_and_stay(self):
        secret = render()["Secret", "r-phasor-secrets"]
        self.assertEqual(set(secret["data"]), {"redis-password", "fleet-secret"})
        self.assertEqual(secret["metadata"]["annotations"]["helm.sh/resource-policy"], "keep")

    def test_none_is_made_where_both_are_there(self):
        rendered = render({"redis": {"auth": {"existingSecret": "a"}},
                           "fleetSecret": {"existingSecret": "b"}})
        self.assertFalse(rendered.of("Secret"))
        volumes = rendered[GATEWAY]["spec"]["template"]["spec"]["volumes"]
        self.assertIn("b", [one.get("secret", {}).get("secretName") for one in volumes])


class Store(unittest.TestCase):
    def test_the_queue_s_redis(self):
        env = env_of(container(render(), WORKER))
        self.assertEqual(env["PHASOR_STORE"],
                         "redis://r-phasor-redis:6379?ttl=24h")

    def test_a_volume_that_gateways_and_workers_share_and_that_stays(self):
        rendered = render({"store": {"type": "pvc"}})
        claim = rendered["PersistentVolumeClaim", "r-phasor-store"]
        self.assertEqual(claim["spec"]["accessModes"], ["ReadWriteMany"])
        self.assertEqual(claim["metadata"]["annotations"]["helm.sh/resource-policy"], "keep")
        for key in (GATEWAY, WORKER):
            mounts = {v["name"]: v["mountPath"] for v in container(rendered, key)["volumeMounts"]}
            self.assertEqual(mounts["store"], env_of(container(rendered, key))["PHASOR_STORE"])

    def test_a_url_with_credentials_from_a_secret(self):
        rendered = render({"store": {"type": "url", "url": "s3://b/p", "existingSecret": "s"}})
        for key in (GATEWAY, WORKER):
            one = container(rendered, key)
            self.assertEqual(env_of(one)["PHASOR_STORE"], "s3://b/p")
            self.assertEqual(env_of(one)["PHASOR_STORE_USER_FILE"], "/etc/phasor/store/user")
            self.assertEqual(env_of(one)["PHASOR_STORE_PASSWORD_FILE"], "/etc/phasor/store/password")
            self.assertNotIn("envFrom", one)
            self.assertIn("/etc/phasor/store", [m["mountPath"] for m in one["volumeMounts"]])
            volumes = rendered[key]["spec"]["template"]["spec"]["volumes"]
            items = next(v["secret"] for v in volumes if v["name"] == "store-credential")["items"]
            self.assertEqual(items, [{"key": "AWS_ACCESS_KEY_ID", "path": "user"},
                                     {"key": "AWS_SECRET_ACCESS_KEY", "path": "password"}])

    def test_a_store_that_knows_a_password_alone(self):
        rendered = render({"store": {"type": "url", "url": "redis://h", "existingSecret": "s",
                                     "userKey": "", "passwordKey": "p"}})
        env = env_of(container(rendered, GATEWAY))
        self.assertNotIn("PHASOR_STORE_USER_FILE", env)
        volumes = rendered[GATEWAY]["spec"]["template"]["spec"]["volumes"]
        items = next(v["secret"] for v in volumes if v["name"] == "store-credential")["items"]
        self.assertEqual(items, [{"key": "p", "path": "password"}])
