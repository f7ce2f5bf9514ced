"""Run inside a container by a test, with nothing but Python: signs calls of ECS with the task's own credentials.

`python3 -c SOURCE Operation...` prints one line for each: the status, and the answer.
"""

import datetime as dt
import hashlib
import hmac
import http.client
import json
import os
import sys

HOST = "169.254.170.2"
API = f"{HOST}:4566"
NAMES = "content-type;host;x-amz-date;x-amz-security-token;x-amz-target"


def keyed(key: bytes, text: str) -> bytes:
    """An HMAC."""
    return hmac.new(key, text.encode(), hashlib.sha256).digest()


def credentials() -> dict[str, str]:
    """What this task is given."""
    asked = http.client.HTTPConnection(HOST, 80, timeout=10)
    asked.request("GET", os.environ["AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"])
    found: dict[str, str] = json.load(asked.getresponse())
    return found


def call(operation: str, keys: dict[str, str]) -> str:
    """One call, signed (Signature Version 4)."""
    now = dt.datetime.now(dt.UTC).strftime("%Y%m%dT%H%M%SZ")  # noqa: TID251  a client has a clock
    region, body = os.environ["AWS_REGION"], "{}"
    headers = {
        "content-type": "application/x-amz-json-1.1",
        "host": API,
        "x-amz-date": now,
        "x-amz-security-token": keys["Token"],
        "x-amz-target": f"AmazonEC2ContainerServiceV20141113.{operation}",
    }
    lines = "".join(f"{name}:{headers[name]}\n" for name in NAMES.split(";"))
    hashed = hashlib.sha256(body.encode()).hexdigest()
    canonical = hashlib.sha256(f"POST\n/\n\n{lines}\n{NAMES}\n{hashed}".encode()).hexdigest()
    scope = f"{now[:8]}/{region}/ecs/aws4_request"
    key = f"AWS4{keys['SecretAccessKey']}".encode()
    for part in scope.split("/"):
        key = keyed(key, part)
    signature = keyed(key, f"AWS4-HMAC-SHA256\n{now}\n{scope}\n{canonical}").hex()
    headers["authorization"] = (
        f"AWS4-HMAC-SHA256 Credential={keys['AccessKeyId']}/{scope}, SignedHeaders={NAMES}, Signature={signature}"
    )
    asked = http.client.HTTPConnection(API, timeout=10)
    asked.request("POST", "/", body, headers)
    answer = asked.getresponse()
    return f"{operation} {answer.status} {answer.read().decode()}"


if __name__ == "__main__":
    own = credentials()
    for each in sys.argv[1:]:
        print(call(each, own), flush=True)  # noqa: T201  its log is what the test reads
