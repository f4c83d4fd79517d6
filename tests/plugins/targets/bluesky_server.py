"""A stand-in for a Bluesky server (a PDS): sessions and records as the lexicon com.atproto has them.

Records are checked by the lexicon's own models, which atproto brings, and by the limits those leave out.
"""

import base64
import json
import time
from hashlib import sha256
from urllib.parse import parse_qsl, urlsplit

import regex
from atproto import models
from atproto_client.models.string_formats import TID_RE

from tests.plugins.targets.servers import Handler

DID, HANDLE, PASSWORD = "did:plc:wormhorn2345672345672345", "metal.example.social", "app-password-canary"

LEXICON = {
    "app.bsky.feed.post": models.AppBskyFeedPost.Record,
    "app.bsky.actor.profile": models.AppBskyActorProfile.Record,
}


class Nope(Exception):
    """An XRPC error: status, name, message."""


def token(scope: str, seconds: float, number: int) -> str:
    """A JWT, as a client reads it; its signature is nobody's."""
    payload = {"scope": scope, "sub": DID, "exp": int(time.time() + seconds), "jti": f"canary-{number}"}
    parts = [json.dumps(part).encode() for part in ({"alg": "ES256K", "typ": "at+jwt"}, payload)] + [b"sig"]
    return ".".join(base64.urlsafe_b64encode(part).decode().rstrip("=") for part in parts)


def cid(record: dict) -> str:
    """A CID of the record's content: the same for the same content."""
    digest = sha256(json.dumps(record, sort_keys=True).encode()).digest()
    return "b" + base64.b32encode(b"\x01\x71\x12\x20" + digest).decode().lower().rstrip("=")


def blob_cid(content: bytes) -> str:
    """Of bytes as they are."""
    return "b" + base64.b32encode(b"\x01\x55\x12\x20" + sha256(content).digest()).decode().lower().rstrip("=")


def check_blobs(record: dict, blobs: dict) -> None:
    """Every picture was uploaded as the record says, and none is larger than the lexicon allows."""
    for image in record.get("embed", {}).get("images", []):
        blob = image["image"]
        found = blobs.get(blob["ref"]["$link"])
        if found is None:
            raise Nope(400, "BlobNotFound", f"Could not find blob: {blob['ref']['$link']}")
        if blob["mimeType"] != found[0] or blob["size"] != len(found[1]):
            raise Nope(400, "InvalidMimeType", "Referenced Mimetype does not match stored blob")
        if blob["size"] > 1_000_000:
            raise Nope(400, "BlobTooLarge", "This file is too large")


def check(collection: str, rkey: str, record: dict) -> None:
    if collection == "app.bsky.feed.post":
        if not TID_RE.match(rkey):
            raise Nope(400, "InvalidRequest", "Invalid record key: expected a TID")
        if len(regex.findall(r"\X", record.get("text", ""))) > 300:
            raise Nope(400, "InvalidRequest", "Record/text must not be longer than 300 graphemes")
        if len(record.get("text", "").encode()) > 3000:
            raise Nope(400, "InvalidRequest", "Record/text must not be longer than 3000 bytes")
    try:
        assert record["$type"] == collection
        models.get_or_create(record, LEXICON[collection], strict=True, strict_string_format=True)
    except Exception as error:
        raise Nope(400, "InvalidRequest", f"Invalid {collection} record: {type(error).__name__}") from error


class Bluesky(Handler):
    """State of the server: records, commits, logins, life (of an access token, in seconds), tokens."""

    def do_GET(self):
        self.serve(dict(parse_qsl(urlsplit(self.path).query)))

    def do_POST(self):
        body = self.body()
        self.serve(body if self.path.endswith("uploadBlob") else json.loads(body or b"{}"))

    def serve(self, given):
        name = urlsplit(self.path).path.removeprefix("/xrpc/com.atproto.").replace(".", "_")
        method = getattr(self, name, None)
        try:
            if method is None:
                raise Nope(501, "MethodNotImplemented", "Method Not Implemented")
            self.reply(200, method(given))
        except Nope as nope:
            status, error, message = nope.args
            self.reply(status, {"error": error, "message": message})

    def session(self):
        self.server.logins += 1
        tokens = (
            token("access", self.server.life, self.server.logins),
            token("refresh", 1e6, self.server.logins),
        )
        self.server.tokens = tokens
        return {"did": DID, "handle": HANDLE, "accessJwt": tokens[0], "refreshJwt": tokens[1], "active": True}

    def authorize(self, which=0):
        given = (self.headers["Authorization"] or "").removeprefix("Bearer ")
        if not given:
            raise Nope(401, "AuthMissing", "Authentication Required")
        if given not in self.server.tokens:
            raise Nope(400, "ExpiredToken", "Token has expired")
        if given != self.server.tokens[which]:
            raise Nope(400, "InvalidToken", "Bad token scope")

    def server_createSession(self, given):
        if (given["identifier"], given["password"]) != (HANDLE, PASSWORD):
            raise Nope(401, "AuthenticationRequired", "Invalid identifier or password")
        return self.session()

    def server_refreshSession(self, given):
        self.authorize(1)
        return self.session()

    def repo_putRecord(self, given):
        self.authorize()
        if given["repo"] not in (DID, HANDLE):
            raise Nope(400, "InvalidRequest", "Could not find repo")
        place, record = (given["collection"], given["rkey"]), given["record"]
        check(*place, record)
        check_blobs(record, self.server.blobs)
        if self.server.records.get(place) != record:
            self.server.records[place] = record
            self.server.commits += 1
        return self.ref(place)

    def repo_uploadBlob(self, content):
        """Kept under its CID; the type is what the bytes say, whatever the request says."""
        self.authorize()
        media_type = "image/png" if content.startswith(b"\x89PNG") else self.headers["Content-Type"]
        self.server.blobs[blob_cid(content)] = media_type, content
        ref = {"$link": blob_cid(content)}
        return {"blob": {"$type": "blob", "ref": ref, "mimeType": media_type, "size": len(content)}}

    def repo_createRecord(self, given):
        self.authorize()
        if (given["collection"], given.get("rkey")) in self.server.records:
            raise Nope(500, "InternalServerError", "Internal Server Error")
        return self.repo_putRecord(given)

    def repo_getRecord(self, given):
        place = given["collection"], given["rkey"]
        if place not in self.server.records:
            raise Nope(400, "RecordNotFound", f"Could not locate record: at://{DID}/{'/'.join(place)}")
        return self.ref(place) | {"value": self.server.records[place]}

    def repo_listRecords(self, given):
        places = sorted(place for place in self.server.records if place[0] == given["collection"])
        return {"records": [self.ref(place) | {"value": self.server.records[place]} for place in places]}

    def ref(self, place):
        return {"uri": f"at://{DID}/{'/'.join(place)}", "cid": cid(self.server.records[place])}


def state() -> dict:
    return {"records": {}, "commits": 0, "logins": 0, "life": 7200, "tokens": ("", ""), "blobs": {}}
