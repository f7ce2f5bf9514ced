"""A signed upload in signed chunks, as the SDKs for Java and Go send it: written from S3's API reference alone."""

import hashlib
import hmac
from datetime import UTC, datetime
from urllib.parse import urlsplit

from longshore.api.callers.credentials import KeyPair

EMPTY = hashlib.sha256(b"").hexdigest()
REGION = "us-east-1"


def _mac(key: bytes, text: str) -> bytes:
    return hmac.new(key, text.encode(), hashlib.sha256).digest()


def signed_upload(
    url: str, keys: KeyPair, chunks: list[bytes], now: float, *, trailer: tuple[str, str] | None = None
) -> tuple[dict[str, str], bytes]:
    """Headers and body of a PUT."""
    at = datetime.fromtimestamp(now, UTC)
    stamp, date = at.strftime("%Y%m%dT%H%M%SZ"), at.strftime("%Y%m%d")
    scope = f"{date}/{REGION}/s3/aws4_request"
    key = ("AWS4" + keys.secret_access_key).encode()
    for part in (date, REGION, "s3", "aws4_request"):
        key = _mac(key, part)
    payload = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD" + ("-TRAILER" if trailer else "")
    parts = urlsplit(url)
    headers = {
        "content-encoding": "aws-chunked",
        "host": parts.netloc,
        "x-amz-content-sha256": payload,
        "x-amz-date": stamp,
        "x-amz-decoded-content-length": str(sum(map(len, chunks))),
        **({"x-amz-trailer": trailer[0]} if trailer else {}),
    }
    names = ";".join(sorted(headers))
    lines = "".join(f"{name}:{headers[name]}\n" for name in sorted(headers))
    canonical = f"PUT\n{parts.path}\n\n{lines}\n{names}\n{payload}"
    text = f"AWS4-HMAC-SHA256\n{stamp}\n{scope}\n{hashlib.sha256(canonical.encode()).hexdigest()}"
    signature = _mac(key, text).hex()
    credential = f"{keys.access_key_id}/{scope}"
    headers["authorization"] = f"AWS4-HMAC-SHA256 Credential={credential}, SignedHeaders={names}, Signature={signature}"
    body = b""
    for chunk in [*chunks, b""]:
        digest = hashlib.sha256(chunk).hexdigest()
        signature = _mac(key, f"AWS4-HMAC-SHA256-PAYLOAD\n{stamp}\n{scope}\n{signature}\n{EMPTY}\n{digest}").hex()
        body += f"{len(chunk):x};chunk-signature={signature}\r\n".encode() + chunk + (b"\r\n" if chunk else b"")
    if trailer:
        line = f"{trailer[0]}:{trailer[1]}\n"
        digest = hashlib.sha256(line.encode()).hexdigest()
        signature = _mac(key, f"AWS4-HMAC-SHA256-TRAILER\n{stamp}\n{scope}\n{signature}\n{digest}").hex()
        body += f"{line.strip()}\r\nx-amz-trailer-signature:{signature}\r\n".encode()
    return headers, body + b"\r\n"
