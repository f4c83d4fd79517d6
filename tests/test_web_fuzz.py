"""Whatever is sent to the page, by its own description of what it takes: nothing is a failure of ours."""

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings

from tests.pages import HERE, log_in, open_app
from tests.queues import open_queue

EXAMPLES = 12  # a route; `make proof` sends more
MORE = 400


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """A client who has come in, the session's token, and every route as the page describes it."""
    folder = tmp_path_factory.mktemp("fuzz")
    with open_queue(folder) as queue:
        drafts = queue.add(*(f"Band {number}" for number in range(30)))
        for draft in drafts[:5]:
            queue.approve(draft)
        app = open_app(queue, folder)
        client = log_in(app)
        session = app.state.doors.sessions.find(client.cookies["wormhorn-8788"])
        schema = schemathesis.openapi.from_dict(app.openapi())
        routes = [found.ok() for found in schema.get_all_operations()]
        yield client, session, routes


def send_anything(site, examples: int) -> dict[int, int]:
    """To every route but the one that ends the session; how many answers had which status."""
    client, session, routes = site
    found: dict[int, int] = {}
    for route in routes:
        if route.path == "/logout":
            continue

        @settings(max_examples=examples, database=None, suppress_health_check=list(HealthCheck))
        @given(case=route.as_strategy())
        def send(case):
            if isinstance(case.body, dict) and "csrf" in case.body:
                case.body["csrf"] = session.csrf
            asked = case.as_transport_kwargs(base_url=HERE)
            given = {name: asked[name] for name in ("method", "url", "params", "data") if asked.get(name)}
            answer = client.request(**given)  # a traceback would come out here
            found[answer.status_code] = found.get(answer.status_code, 0) + 1
            assert answer.status_code < 500, answer.text
            assert answer.headers["content-security-policy"]

        send()
    return found


def test_no_request_makes_the_page_fail(site):
    found = send_anything(site, EXAMPLES)

    assert {200, 303, 422} <= found.keys()  # some of it was understood, and some not
    assert len(site[2]) >= 20


@pytest.mark.proof
def test_no_request_of_many_makes_the_page_fail(site):
    send_anything(site, MORE)
