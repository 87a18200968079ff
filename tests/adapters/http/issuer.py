"""An OpenID Connect issuer on this machine: it publishes keys by HTTP, and signs whatever a test asks for."""

from __future__ import annotations

import base64
import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePrivateKey, generate_private_key
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key as generate_rsa
from jwt.algorithms import ECAlgorithm, OKPAlgorithm, RSAAlgorithm

PrivateKey = RSAPrivateKey | EllipticCurvePrivateKey | Ed25519PrivateKey

RSA_KEY = generate_rsa(65537, 2048)
OTHER_RSA_KEY = generate_rsa(65537, 2048)
EC_KEY = generate_private_key(SECP256R1())
ED_KEY = Ed25519PrivateKey.generate()


def jwk_of(key: PrivateKey, key_id: str | None, **more: Any) -> dict[str, Any]:
    """The public half as issuers publish it."""
    if isinstance(key, RSAPrivateKey):
        jwk = RSAAlgorithm.to_jwk(key.public_key(), as_dict=True)
    elif isinstance(key, EllipticCurvePrivateKey):
        jwk = ECAlgorithm.to_jwk(key.public_key(), as_dict=True)
    else:
        jwk = OKPAlgorithm.to_jwk(key.public_key(), as_dict=True)
    jwk.pop("key_ops", None)
    return {**jwk, **({"kid": key_id} if key_id is not None else {}), **more}


def base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def signed(payload: bytes, key: PrivateKey, algorithm: str, **header: Any) -> str:
    """A token with exactly this payload and header."""
    return jwt.PyJWS().encode(payload, key, algorithm, headers=header)


class Issuer:
    """Keys by name, and how often each document was asked for."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.says_it_is = url
        self.jwks_uri = f"{url}/keys"
        self.keys: list[Any] = [jwk_of(RSA_KEY, "rsa"), jwk_of(EC_KEY, "ec"), jwk_of(ED_KEY, "ed")]
        self.asked: list[str] = []
        self.status = 200
        self.body: bytes | None = None  # instead of the keys
        self.pause_s = 0.0

    def claims(self, **more: Any) -> dict[str, Any]:
        """What a member's token says; None leaves a claim out."""
        now = int(time.time())
        usual = {
            "iss": self.url,
            "aud": "seatledger",
            "sub": "subject-canary",
            "iat": now,
            "exp": now + 600,
            "organization": "contoso",
            "preferred_username": "ben-canary@contoso.com",
        }
        return {name: value for name, value in {**usual, **more}.items() if value is not None}

    def token(
        self,
        *,
        key: PrivateKey = RSA_KEY,
        algorithm: str = "RS256",
        header: dict[str, Any] | None = None,
        **claims: Any,
    ) -> str:
        return signed(json.dumps(self.claims(**claims)).encode(), key, algorithm, **({"kid": "rsa"} | (header or {})))


@contextmanager
def an_issuer() -> Iterator[Issuer]:
    """An issuer that answers until the end."""

    class Pages(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            issuer.asked.append(self.path)
            time.sleep(issuer.pause_s)
            pages = {
                "/.well-known/openid-configuration": {"issuer": issuer.says_it_is, "jwks_uri": issuer.jwks_uri},
                "/keys": {"keys": issuer.keys},
            }
            body = json.dumps(pages.get(self.path, {})).encode()
            if self.path == "/keys" and issuer.body is not None:
                body = issuer.body
            self.send_response(issuer.status)
            if issuer.status == 302:
                self.send_header("Location", f"{issuer.url}/keys")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            pass

    class Server(ThreadingHTTPServer):
        def handle_error(self, *_: Any) -> None:
            """Who asked did not wait for the answer."""

    with Server(("127.0.0.1", 0), Pages) as server:
        issuer = Issuer(f"http://127.0.0.1:{server.server_port}")
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield issuer
        finally:
            server.shutdown()
            thread.join()
