# A store that speaks S3, for the tests: it checks every signature, and honours conditions one request at a time.
# Prints its port and the keys of its only user; ends when its standard input does.
import json, os, sys, threading
from urllib.parse import parse_qsl, quote, urlencode, urlsplit

from moto import settings
from moto.iam.access_control import IAMRequestBase
from moto.iam.models import iam_backends
from moto.s3.models import s3_backends
from moto.server import DomainDispatcherApplication, create_backend_app
from werkzeug.serving import WSGIRequestHandler, make_server

account = "123456789012"
iam = iam_backends[account]["aws"]
iam.create_user("us-east-1", "countersign")
allowed = {"Effect": "Allow", "Action": "s3:*", "Resource": "*"}
iam.put_user_policy("countersign", "all", json.dumps({"Version": "2012-10-17", "Statement": [allowed]}))
key = iam.create_access_key("countersign")
for bucket in ["vault", "bare"]:
    s3_backends[account]["aws"].create_bucket(bucket, "us-east-1")
settings.INITIAL_NO_AUTH_ACTION_COUNT = 0


# moto compares signatures over the query as its web framework decoded it; what is signed is the encoded one.
decoded = IAMRequestBase.__init__


def encoded(self, *, path, **named):
    url = urlsplit(path)
    query = urlencode(sorted(parse_qsl(url.query, keep_blank_values=True)), quote_via=quote, safe="")
    decoded(self, path=url.path + ("?" + query if query else ""), **named)


IAMRequestBase.__init__ = encoded


class Quiet(WSGIRequestHandler):
    def log(self, *_):
        pass


threading.Thread(target=lambda: (sys.stdin.read(), os._exit(0)), daemon=True).start()
server = make_server("127.0.0.1", 0, DomainDispatcherApplication(create_backend_app), request_handler=Quiet)
print(server.server_port, key.access_key_id, key.secret_access_key, flush=True)
server.serve_forever()
