"""The page's server in a thread of its own, until the block is left."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Thread

import uvicorn
from fastapi import FastAPI

from bot.web.address import Address

AT_ONCE = 64  # connections; more are told to come back
LAST_SECONDS = 3  # that an answer under way has when the server ends


@contextmanager
def serving(app: FastAPI, address: Address, listener: socket.socket) -> Iterator[None]:
    server = uvicorn.Server(_settings(app, address))
    thread = Thread(target=server.run, args=([listener],), name="page", daemon=True)
    thread.start()
    try:
        yield
    finally:
        server.should_exit = True
        thread.join()
        listener.close()


def _settings(app: FastAPI, address: Address) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        http="h11",
        ws="none",
        loop="asyncio",
        lifespan="off",
        log_config=None,
        access_log=False,  # an address can hold the link's secret
        server_header=False,
        proxy_headers=bool(address.proxies),
        forwarded_allow_ips=list(address.proxies),
        ssl_certfile=address.certificate,
        ssl_keyfile=address.key and str(address.key),
        limit_concurrency=AT_ONCE,
        timeout_graceful_shutdown=LAST_SECONDS,
    )
