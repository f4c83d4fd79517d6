"""The bundle: what is in it, what is not, and that it is made where things are broken."""

import json
import stat
import zipfile

import pytest

from bot.postmortem import gather
from tests.folders import write_folder
from tests.healths import approved, opened

TEXT = 'Moon "of" glass'


@pytest.fixture
def house(tmp_path):
    return opened(write_folder(tmp_path / "bot"))


def contents(house, path, texts=False):
    gather(house, path, texts)
    with zipfile.ZipFile(path) as bundle:
        return {name: bundle.read(name).decode() for name in bundle.namelist()}


def run_files(house):
    house.config.run_folder.mkdir()
    (house.config.run_folder / "log.jsonl").write_text(json.dumps({"message": f"kept {TEXT}"}) + "\n")
    (house.config.run_folder / "crash.txt").write_text(f"ValueError: {TEXT!r}\n")


def test_everything_is_in_one_file_for_its_owner_alone(house, tmp_path):
    """State, versions, settings, steps, log and crash."""
    approved(house, TEXT)
    run_files(house)

    parts = contents(house, tmp_path / "out.zip")

    assert parts.keys() == {
        *("doctor.txt", "status.json", "versions.txt", "config.yaml", "plugins.json", "database.json"),
        *("steps.jsonl", "deliveries.jsonl", "log.jsonl", "crash.txt"),
    }
    assert json.loads(parts["status.json"])["checks"]
    assert json.loads(parts["database.json"])["deliveries"] == 1
    assert json.loads(parts["steps.jsonl"])["new"] == "planned"
    assert stat.S_IMODE((tmp_path / "out.zip").stat().st_mode) == 0o600


def test_no_text_is_in_it_unless_it_is_asked_for(house, tmp_path):
    """Wherever it is quoted, and however."""
    approved(house, TEXT)
    run_files(house)

    without, with_texts = contents(house, tmp_path / "a.zip"), contents(house, tmp_path / "b.zip", texts=True)

    for part in without.values():
        assert "of glass" not in part.replace('\\"of\\" glass', "of glass").replace('"of" glass', "of glass")
    assert "(text)" in without["log.jsonl"]
    assert TEXT in json.loads(with_texts["log.jsonl"])["message"]


def test_a_secret_that_somebody_wrote_into_the_settings_is_not_in_it(house, tmp_path):
    """Although they cannot even be loaded that way."""
    text = house.config.file.read_text()
    house.config.file.write_text(f"{text}# access_token: abc\nother_secret: hunter-77\nkept: {{env: NAME}}\n")

    config = contents(house, tmp_path / "out.zip")["config.yaml"]

    assert "hunter-77" not in config
    assert "kept: {env: NAME}" in config


def test_it_is_made_without_a_database_too(house, tmp_path):
    """What cannot be had is told in its place."""
    approved(house, TEXT)
    house.database.close()
    (house.config.folder / "bot.db").write_bytes(b"no database" * 1000)

    parts = contents(house, tmp_path / "out.zip")

    assert parts["steps.jsonl"].startswith("this could not be had: ")
    assert "wormhorn" in parts["versions.txt"]
