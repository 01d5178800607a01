"""Authorities and certificates from the openssl program, and what a server shows of its own."""

import os
import subprocess


def openssl(*arguments, stdin=""):
    """Exit code, and everything that it wrote."""
    ended = subprocess.run(["openssl", *map(str, arguments)], input=stdin, timeout=60,
                           encoding="utf-8", errors="replace",
                           stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    return ended.returncode, ended.stdout


class Authority:
    def __init__(self, directory, name):
        self.directory = directory
        self.key, self.certificate = self.path(name + ".key"), self.path(name + ".pem")
        self._do("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                 "-days", "2", "-keyout", self.key, "-out", self.certificate, "-subj",
                 f"/CN={name}")

    def path(self, name):
        return os.path.join(self.directory, name)

    @staticmethod
    def _do(*arguments):
        code, text = openssl(*arguments)
        assert code == 0, text

    def issue(self, certificate, key, names="DNS:localhost,IP:127.0.0.1"):
        """Both are replaced at once each, one after the other, as a careless person would."""
        request, extensions = self.path("request"), self.path("extensions")
        with open(extensions, "w") as file:
            file.write("subjectAltName=" + names)
        self._do("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout",
                 self.path("new.key"), "-out", request, "-subj", "/CN=localhost")
        self._do("x509", "-req", "-in", request, "-CA", self.certificate, "-CAkey", self.key,
                 "-CAcreateserial", "-days", "1", "-out", self.path("new.pem"), "-extfile",
                 extensions)
        serial = openssl("x509", "-in", self.path("new.pem"), "-noout", "-serial")[1].strip()
        os.replace(self.path("new.key"), key)
        os.replace(self.path("new.pem"), certificate)
        return serial


def shown_by(address):
    """The serial number of the certificate that a server shows."""
    text = openssl("s_client", "-connect", address, "-alpn", "h2")[1]
    return openssl("x509", "-noout", "-serial", stdin=text)[1].strip()


def speaks(address, version):
    """Whether a server takes part in a handshake of that version: "tls1_1", "tls1_2" ..."""
    # Debian's own policy would keep this side from trying.
    code, _ = openssl("s_client", "-connect", address, "-alpn", "h2", "-" + version, "-cipher",
                      "DEFAULT@SECLEVEL=0")
    return code == 0
