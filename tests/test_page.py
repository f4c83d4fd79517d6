"""The page of one configuration: served alone or beside other work, opened by the link or by a password."""

import signal
import socket
import ssl
import subprocess
import sys
import urllib.request
from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Address
from pathlib import Path

import httpx2
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from typer.testing import CliRunner

from bot.cli.app import app
from bot.config import load
from bot.errors import BotError
from bot.house import House
from bot.page import curves, passwords_of, serve, serve_beside
from tests.pages import token
from tests.queues import Clock


@pytest.fixture
def served_house(bot_folder: Path):
    """The rooms of a bot whose `bot run` shall serve its page; more: further settings of it."""

    def made(**more: object) -> House:
        web = {"serve": True, "port": 0} | more
        bot_folder.write_text(f"web: {web}\n".replace("True", "true") + bot_folder.read_text())
        return House(load(bot_folder), Clock())

    return made


def test_the_command_serves_until_it_is_ended(bot_folder):
    """It prints the link on stdout, answers under it, and ends by SIGTERM."""
    command = [sys.executable, "-m", "bot", "web", "--port", "0", "--config", str(bot_folder)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        link = process.stdout.readline().strip()
        with urllib.request.urlopen(link) as answer:
            page = answer.read().decode()
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=60) == 0

    assert link.startswith("http://127.0.0.1:")
    assert "Come in" in page


def test_a_password_is_set_by_the_command_and_opens_the_door(bot_folder):
    """What is piped in is the password; then no secret is printed any more."""
    arguments = ["web", "--set-password", "--name", "ada", "--config", str(bot_folder)]
    result = CliRunner().invoke(app, arguments, input="correct horse battery\n")
    house = House(load(bot_folder), Clock())

    assert result.exit_code == 0
    assert "correct horse" not in result.output
    assert passwords_of(house).fit("ada", "correct horse battery")
    with serve(house, port=0) as link:
        assert link.endswith("/login")


def test_beside_other_work_the_page_is_served_if_that_is_wanted(served_house):
    said: list[str] = []
    with serve_beside(served_house(), said.append):
        assert said[0].startswith("Review page: http://127.0.0.1:")


def test_a_page_that_cannot_be_served_keeps_nobody_from_posting(served_house):
    """The line says why, and the work goes on."""
    said: list[str] = []
    with socket.create_server(("127.0.0.1", 0)) as taken:
        house = served_house(port=taken.getsockname()[1])
        with serve_beside(house, said.append):
            pass

    [line] = said
    assert line.startswith("No review page: web: cannot listen on 127.0.0.1:")
    assert "Address already in use" in line


def test_a_page_that_others_would_reach_in_the_clear_is_not_begun_with(served_house):
    with (
        pytest.raises(BotError, match=r"web\.host: other computers reach 0\.0\.0\.0"),
        serve_beside(served_house(host="0.0.0.0"), print),
    ):
        pytest.fail("it went on")


def test_without_the_setting_nothing_is_served(house):
    with serve_beside(house, lambda line: pytest.fail(line)):
        pass


def test_each_model_tells_how_it_learned(house):
    [curve] = curves(house)

    assert curve.model == "moons"
    assert len(curve.steps) == len(curve.held_out) > 0
    assert curve.ngram is not None


@pytest.fixture
def certificate(tmp_path: Path) -> dict[str, str]:
    """A certificate of this computer's own, for 127.0.0.1, as settings name it."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "wormhorn's tests")])
    now = datetime.now(UTC)
    alone = x509.SubjectAlternativeName([x509.IPAddress(IPv4Address("127.0.0.1"))])
    signed = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(alone, critical=False)
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    (tmp_path / "page.pem").write_bytes(signed.public_bytes(pem))
    plain = serialization.NoEncryption()
    (tmp_path / "page.key").write_bytes(
        key.private_bytes(pem, serialization.PrivateFormat.TraditionalOpenSSL, plain)
    )
    return {"certificate": str(tmp_path / "page.pem"), "key": str(tmp_path / "page.key")}


def test_with_a_certificate_the_page_speaks_tls_and_nothing_else(served_house, certificate):
    """Who trusts the certificate comes in, by a cookie that goes over TLS only; who does not gets nothing."""
    with serve(served_house(**certificate)) as link:
        trusting = ssl.create_default_context(cafile=certificate["certificate"])
        with httpx2.Client(verify=trusting) as client:
            form = token(client.get(link).text)
            sent = {"form": form, "link": link.partition("link=")[2]}
            origin = link.partition("/login")[0]
            answer = client.post(f"{origin}/login", data=sent, headers={"origin": origin})
            inside = client.get(f"{origin}/overview")
        with pytest.raises(httpx2.ConnectError, match="certificate verify failed"):
            httpx2.get(link)
        with pytest.raises(httpx2.HTTPError):
            httpx2.get(link.replace("https:", "http:"))

    assert link.startswith("https://127.0.0.1:")
    assert answer.status_code == 303
    assert answer.headers["set-cookie"].startswith("__Host-wormhorn=")
    assert "Secure" in answer.headers["set-cookie"]
    assert "Overview" in inside.text
