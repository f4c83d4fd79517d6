"""What the tests of targets share: a Mastodon stand-in, started once."""

import pytest


@pytest.fixture(scope="session")
def mastodon_server():
    pytest.importorskip("mastodon_mock")
    from tests.plugins.targets.servers import mastodon_mock

    with mastodon_mock() as address:
        yield address
