#!/usr/bin/env python3
"""An S3 server for tests: moto, behind a check of each request's signature by botocore.

usage: s3_server.py [--ignore-conditions]

Prints "ready PORT BACK_DOOR" and serves the bucket "phasor" on 127.0.0.1 until it is killed; behind
the back door, a port for tests that look what is there, nothing is checked. Neither moto
nor botocore is ours: the one keeps the objects, the other computes what a client must have signed.
Requests run one at a time, because moto looks for an object and then writes it, which is no atomic
If-None-Match. --ignore-conditions makes it a server that does not honour the header at all.
"""
import hashlib
import io
import re
import sys
import threading

from botocore.auth import S3SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from moto.core import DEFAULT_ACCOUNT_ID
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from moto.s3.models import s3_backends
from werkzeug.serving import WSGIRequestHandler, make_server

KEY_ID = "phasor-test"
SECRET = "a/secret+with=odd:characters"
TOKEN = "a/session+token=="  # accepted, and then it has to be signed
AUTHORIZATION = re.compile(
    r"AWS4-HMAC-SHA256 Credential=([^/]+)/(\d{8})/([^/]+)/s3/aws4_request, ?"
    r"SignedHeaders=([^,]+), ?Signature=([0-9a-f]{64})"
)


def headers_of(environ):
    headers = {
        name[5:].replace("_", "-").lower(): value
        for name, value in environ.items()
        if name.startswith("HTTP_")
    }
    if environ.get("CONTENT_TYPE"):
        headers["content-type"] = environ["CONTENT_TYPE"]
    return headers


def problem_of(environ, body):
    """What is wrong with the request's signature, "" if nothing is."""
    headers = headers_of(environ)
    match = AUTHORIZATION.fullmatch(headers.get("authorization", ""))
    if not match:
        return "AccessDenied"
    key_id, _, region, signed, signature = match.groups()
    if key_id != KEY_ID:
        return "InvalidAccessKeyId"
    signed = signed.split(";")
    must = {"host", "if-none-match"} | {name for name in headers if name.startswith("x-amz-")}
    if not (must & set(headers)) <= set(signed):
        return "AccessDenied"
    if headers.get("x-amz-content-sha256") != hashlib.sha256(body).hexdigest():
        return "XAmzContentSHA256Mismatch"
    if headers.get("x-amz-security-token", TOKEN) != TOKEN:
        return "InvalidToken"
    request = AWSRequest(
        method=environ["REQUEST_METHOD"],
        url=f"http://{headers['host']}{environ['REQUEST_URI']}",
        headers={name: headers.get(name, "") for name in signed},
    )
    request.context["timestamp"] = headers["x-amz-date"]
    auth = S3SigV4Auth(Credentials(KEY_ID, SECRET), "s3", region)
    expected = auth.signature(auth.string_to_sign(request, auth.canonical_request(request)), request)
    return "" if expected == signature else "SignatureDoesNotMatch"


class Application:
    def __init__(self, honours_conditions):
        self._app = DomainDispatcherApplication(create_backend_app)
        self._lock = threading.Lock()
        self._honours_conditions = honours_conditions

    def unchecked(self, environ, start_response):
        environ.setdefault("HTTP_AUTHORIZATION", "moto wants one and does not look at it")
        with self._lock:
            return list(self._app(environ, start_response))

    def __call__(self, environ, start_response):
        body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        environ["wsgi.input"] = io.BytesIO(body)
        problem = problem_of(environ, body)
        if problem:
            reply = f"<Error><Code>{problem}</Code><Message>Refused.</Message></Error>".encode()
            start_response("403 Forbidden", [("Content-Length", str(len(reply)))])
            return [reply]
        if not self._honours_conditions:
            environ.pop("HTTP_IF_NONE_MATCH", None)
        return self.unchecked(environ, start_response)


class KeepAlive(WSGIRequestHandler):
    protocol_version = "HTTP/1.1"

    def log(self, *_args):
        pass


def main():
    s3_backends[DEFAULT_ACCOUNT_ID]["aws"].create_bucket("phasor", "us-east-1")
    application = Application("--ignore-conditions" not in sys.argv)
    front, back = (
        make_server("127.0.0.1", 0, serve, threaded=True, request_handler=KeepAlive)
        for serve in (application, application.unchecked)
    )
    threading.Thread(target=back.serve_forever, daemon=True).start()
    print("ready", front.server_address[1], back.server_address[1], flush=True)
    front.serve_forever()


if __name__ == "__main__":
    main()
