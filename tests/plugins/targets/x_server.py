"""A stand-in for X on this machine that checks every signature, and the way to it."""

import base64
import json
import time
from types import SimpleNamespace
from typing import Any
from urllib.parse import parse_qs, urlsplit

from oauthlib.oauth1.rfc5849 import signature
from requests.adapters import HTTPAdapter

from tests.plugins.targets.servers import Handler

KEYS = {
    "consumer_key": "ck-canary",
    "consumer_secret": "cs-canary",
    "access_token": "42-canary",
    "access_token_secret": "ts-canary",
}


class X(Handler):
    """Answers as X does; `server.mode` says how posting goes."""

    def signed(self):
        url = f"https://api.twitter.com{self.path}"
        header = {"Authorization": self.headers["Authorization"]}
        params = signature.collect_parameters(
            urlsplit(url).query, headers=header, exclude_oauth_signature=False
        )
        given = dict(params)
        request = SimpleNamespace(
            http_method=self.command,
            uri=url,
            params=[(name, value) for name, value in params if name != "oauth_signature"],
            signature=given["oauth_signature"],
        )
        tokens = given["oauth_consumer_key"], given["oauth_token"]
        assert tokens == (KEYS["consumer_key"], KEYS["access_token"])
        return signature.verify_hmac_sha1(request, KEYS["consumer_secret"], KEYS["access_token_secret"])

    def do_POST(self):
        body = json.loads(self.body())
        assert self.signed()
        route = urlsplit(self.path).path
        if route.startswith("/2/media/"):
            self.media(route.removeprefix("/2/media/"), body)
            return
        assert route == "/2/tweets"
        mode, server = self.server.mode, self.server
        if not set(body.get("media", {}).get("media_ids", [])) <= server.media.keys():
            self.reply(400, {"detail": "Your media IDs are invalid.", "title": "Invalid Request"})
            return
        server.requests.append(body)
        if mode in ("ok", "drop after"):
            id = str(1000 + len(server.tweets))
            text = body["text"].replace("&", "&amp;").replace("<", "&lt;")
            server.tweets.insert(0, {"id": id, "text": text, "at": time.time()})
        match mode:
            case "ok":
                self.reply(201, {"data": {"id": id, "text": body["text"]}})
            case "drop before" | "drop after":
                self.close_connection = True
            case "slow":
                server.released.wait(10)
            case "redirect":
                self.reply(307, {}, location="/2/tweets")
            case "no id":
                self.reply(201, {"data": {}})
            case int(status), error, headers:
                self.reply(status, error, **headers)

    def media(self, route, body):
        """The one-shot upload of a picture in JSON, and its description, as the v2 endpoints have them."""
        media = self.server.media
        if route == "upload":
            assert body["media_category"] == "tweet_image"
            id = str(7000 + len(media))
            content = base64.b64decode(body["media"], validate=True)
            media[id] = {"media_type": body["media_type"], "content": content}
            shown = {"id": id, "media_key": f"3_{id}", "size": len(content), "expires_after_secs": 86400}
            self.reply(200, {"data": shown})
        elif route == "metadata" and body["id"] in media:
            words = body["metadata"]["alt_text"]["text"]
            assert 0 < len(words) <= 1000
            media[body["id"]]["alt_text"] = words
            self.reply(200, {"data": {"id": body["id"], "associated_metadata": body["metadata"]}})
        else:
            self.reply(404, {"title": "Not Found"})

    def do_GET(self):
        assert self.signed()
        url = urlsplit(self.path)
        assert url.path == "/2/users/42/tweets"
        query = parse_qs(url.query)
        self.server.queries.append(query)
        data = [{"id": tweet["id"], "text": tweet["text"]} for tweet in self.server.tweets]
        limit = int(query["max_results"][0])
        meta = {"result_count": len(data)} | ({"next_token": "more"} if len(data) > limit else {})
        self.reply(200, {"meta": meta} | ({"data": data[:limit]} if data else {}))


class Detour(HTTPAdapter):
    """Sends what goes to X to the stand-in."""

    def __init__(self, port):
        super().__init__()
        self.port = port

    def send(self, request, **options):
        request.url = request.url.replace("https://api.twitter.com", f"http://127.0.0.1:{self.port}")
        return super().send(request, **options)


def state() -> dict[str, Any]:
    return {"mode": "ok", "tweets": [], "requests": [], "queries": [], "media": {}}
