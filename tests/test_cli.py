"""The command line: what each command prints, where, and how it ends."""

import json
import shutil
import subprocess
import sys
from dataclasses import fields

import pytest
from typer.main import get_command
from typer.testing import CliRunner

from bot.cli.app import app
from bot.config import load, shipped
from bot.errors import BotError
from bot.host import make_order
from bot.house import House
from bot.records import Draft, Sampling
from bot.status import standing
from tests.folders import copy_folder, fill

COMMANDS = {
    "init", "train", "import", "figures", "sample", "calibrate", "fill", "queue", "why", "review", "approve",
    "reject", "edit", "undo", "settle", "replay", "post", "run", "status", "postmortem", "calendar", "taste",
    "plugins", "web", "stop", "resume", "backup", "restore", "doctor", "schema", "sweep", "reproduce",
    "compare", "corpus", "export",
}  # fmt: skip

# The commands that must start fast, on a small server too; {} is the configuration.
WITHOUT_TORCH = [
    "--help",
    "queue --config {}",
    "why 1 --config {}",
    "approve 1 --config {}",
    "reject 2 --config {}",
    "edit 3 Another --config {}",
    "undo 3 --config {}",
    "post night --config {} --dry-run",
    "post night --config {}",
    "status --config {}",
    "calendar night --config {}",
    "export night --best --config {}",
    "schema",
]


@pytest.fixture
def call(bot_folder):
    """call("queue", "--json") in the trained folder -> (stdout, stderr); a BotError is raised."""

    def call(*words):
        result = CliRunner().invoke(app, [*words, "--config", str(bot_folder)])
        if result.exception and not isinstance(result.exception, SystemExit):
            raise result.exception
        assert result.exit_code == 0, result.output
        return result.stdout, result.stderr

    return call


@pytest.fixture(scope="module")
def full(trained, tmp_path_factory):
    """A folder with drafts in its queue: a model host takes seconds to start, so it starts once."""
    folder = copy_folder(trained, tmp_path_factory.mktemp("full") / "bot")
    fill(House(load(folder)), seed=5)
    return folder


@pytest.fixture
def filled(full, bot_folder, call):
    """The same with drafts in the queue."""
    shutil.copytree(full.parent, bot_folder.parent, dirs_exist_ok=True)
    return call


def run_process(*words, cwd):
    return subprocess.run(
        [sys.executable, "-m", "bot", *words],
        cwd=cwd,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def test_help_names_every_command():
    """`bot --help` lists what there is."""
    result = CliRunner().invoke(app, ["--help"])

    listed = {line.split()[0] for line in result.stdout.splitlines() if line.startswith("  ")}
    assert listed >= COMMANDS
    assert {command.name or command.callback.__name__ for command in app.registered_commands} == COMMANDS


def test_reviewing_and_posting_never_load_torch(bot_folder, filled):
    """One process runs every command that needs no model, and torch is not among its modules."""
    script = (
        "import sys\n"
        "from typer.testing import CliRunner\n"
        "from bot.cli.app import app\n"
        "for line in sys.stdin.read().splitlines():\n"
        "    result = CliRunner().invoke(app, line.split())\n"
        "    print(line, result.exit_code, result.exception or '')\n"
        "    assert 'torch' not in sys.modules, line\n"
    )
    lines = "\n".join(line.format(bot_folder) for line in WITHOUT_TORCH)

    done = subprocess.run(
        [sys.executable, "-c", script], input=lines, capture_output=True, text=True, timeout=120, check=False
    )

    assert done.returncode == 0, done.stderr
    assert [line.split()[-1] for line in done.stdout.splitlines()] == ["0"] * len(WITHOUT_TORCH), done.stdout


def test_what_is_wrong_is_one_line_on_stderr(tmp_path):
    """No traceback, nothing on stdout, exit code 1, in a real process."""
    done = run_process("queue", cwd=tmp_path)

    assert done.returncode == 1
    assert done.stdout == ""
    assert done.stderr.startswith("bot: config.yaml")
    assert len(done.stderr.splitlines()) == 1


def test_init_makes_a_folder_that_is_ready(tmp_path):
    """The new config.yaml is the shipped one, explained; an existing one is never overwritten."""
    folder = tmp_path / "new"
    assert CliRunner().invoke(app, ["init", str(folder)]).exit_code == 0

    assert (folder / "config.yaml").read_text() == (shipped() / "config.yaml").read_text()
    assert (folder / "plugins").is_dir()
    assert (folder / "checkpoints").is_dir()
    again = CliRunner().invoke(app, ["init", str(folder)])
    assert isinstance(again.exception, BotError)


def test_samples_go_to_stdout_and_nothing_else(call):
    """One text a line; the same seed, the same texts; the rest is told on stderr."""
    out, err = call("sample", "moons", "-n", "5", "--seed", "3")

    assert len(out.splitlines()) == 5
    assert call("sample", "moons", "-n", "5", "--seed", "3")[0] == out
    assert call("sample", "moons", "-n", "5", "--seed", "4")[0] != out
    likeliest, _ = call("sample", "moons", "-n", "5", "--top-k", "1")
    assert len(set(likeliest.splitlines())) == 1
    assert "seed 3" in err


def test_every_setting_of_sampling_is_an_option_of_the_command(call):
    """By the same name; what a sample begins with and where it ends is seen in it."""
    options = {one.name for one in get_command(app).commands["sample"].params}
    wishes = (
        "--prefix",
        "red ",
        "--stop",
        "o",
        "--stop",
        "u",
        "--temperature",
        "0.8,1.2",
        "--checkpoint",
        "best",
    )
    numbers = ("--mirostat", "2,0.2", "--typical-p", "0.9", "--eta", "0.01", "--weights", "int8")

    out, _ = call("sample", "moons", "-n", "5", *wishes, *numbers)

    assert {field.name for field in fields(Sampling)} <= options
    assert all(line.startswith("red ") and not set("ou") & set(line) for line in out.splitlines())


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--top-p", "0"), "top_p 0: it is above 0 and at most 1"),
        (("--temperature", "0.9,0.5"), "temperature 0.9 to 0.5: .*the lower one comes first"),
        (("--mirostat", "0"), "mirostat 0, 0.1: a surprise is above 0"),
        (("--min-length", "300"), "lengths from 300 to 200"),
    ],
)
def test_a_wrong_value_is_named_with_what_would_be_right(call, words, message):
    """Before anything is sampled, in one line."""
    with pytest.raises(BotError, match=message):
        call("sample", "moons", *words)


def test_a_band_instead_of_a_temperature(call):
    """As hot as the checkpoint's calibration says; both at once is a mistake, and so is one that is none."""
    found = {
        band: json.loads(call("sample", "moons", "--band", band, "--json")[0]) for band in ("safe", "wild")
    }

    assert {one["sampling"]["band"] for one in found["wild"]} == {"wild"}
    assert found["safe"][0]["sampling"]["temperature"][0] < found["wild"][0]["sampling"]["temperature"][1]
    with pytest.raises(BotError, match="a temperature or a band, not both"):
        call("sample", "moons", "--band", "wild", "--temperature", "1")
    with pytest.raises(BotError, match="no band is called 'mild'"):
        call("sample", "moons", "--band", "mild")


def test_a_calibration_is_measured_and_stored(call, bot_folder):
    """A row for each temperature, rising; the bands go by it at once."""
    [before] = make_order(House(load(bot_folder)), "night").checkpoints
    meta = bot_folder.parent / "checkpoints" / "moons" / before / "meta.json"
    old = json.loads(meta.read_text())

    out, err = call("calibrate", "moons", "-n", "50")

    header, *rows = out.splitlines()
    assert header.split() == ["temperature", "surprise", "band"]
    now = json.loads(meta.read_text())
    assert [[f"{t:.2f}", f"{s:.3f}"] for t, s in now["calibration"]] == [row.split()[:2] for row in rows]
    assert now["calibration"] != old["calibration"]
    assert now | {"calibration": 0} == old | {"calibration": 0}
    assert str(meta) in err


def test_what_came_with_the_program_is_not_written_to(tmp_path, monkeypatch):
    """The table is shown all the same; before it is measured it is said where a copy could be written."""
    file = tmp_path / "config.yaml"
    file.write_text("{}")
    words = ["calibrate", "death_metal", "-n", "2", "--config", str(file)]
    result = CliRunner().invoke(app, words)
    monkeypatch.setattr("bot.model.sampling.calibrate", lambda *given: 1 / 0)
    unmeasured = CliRunner().invoke(app, words)

    assert result.exit_code == 0
    assert len(result.stdout.splitlines()) == 6
    assert "Stored in" not in result.stderr
    for said in (result.stderr, unmeasured.stderr):
        assert f"came with the program; copy it to {tmp_path}/checkpoints/death_metal" in said


def test_a_number_that_is_none_is_told_to_who_typed_it(call):
    """As the command line tells all such mistakes: in a line, without a traceback."""
    outcome = CliRunner().invoke(app, ["sample", "moons", "--temperature", "hot"])

    assert outcome.exit_code != 0
    assert "two with a comma between them, not 'hot'" in outcome.output


@pytest.mark.parametrize(
    "words",
    [
        ("sample", "moons", "-n", "2"),
        ("fill", "night"),
        ("queue",),
        ("status",),
        ("calendar", "night"),
        ("doctor",),
        ("plugins",),
        ("replay", "1"),
    ],
    ids=lambda words: words[0],
)
def test_json_is_one_document_on_stdout(filled, words):
    """With --json stdout parses as a whole."""
    out, _ = filled(*words, "--json")

    assert json.loads(out) is not None


def test_training_shows_what_it_does(call, monkeypatch):
    """A line an evaluation; curves and bar once, for nobody watches; a narrow window has no curves."""
    monkeypatch.setenv("COLUMNS", "80")
    _, err = call("train", "moons", "--fresh")
    monkeypatch.setenv("COLUMNS", "50")
    _, narrow = call("train", "moons", "--fresh")

    assert err.count("held out 0") + err.count("held out 1") >= 2
    assert err.count("step 20 to 60") == 1
    assert err.count("tokens/s") == 1
    assert "step 20 to 60" not in narrow


def test_a_profile_says_where_the_time_goes_and_keeps_nothing(call, bot_folder):
    """Every part on a line, then what it comes to; the checkpoints' folder is as it was."""
    shelf = bot_folder.parent / "checkpoints" / "moons"
    before = {path: path.stat().st_mtime_ns for path in shelf.rglob("*")}

    out, _ = call("train", "moons", "--profile")

    parts = ["batches", "noise", "forward", "backward", "clip", "optimizer", "rest"]
    assert [line.split()[0] for line in out.splitlines()[1:11]] == [*parts, "evaluation", "samples", "saving"]
    assert "ms every 20 steps" in out
    assert "The whole run, 60 steps, would take about" in out
    assert {path: path.stat().st_mtime_ns for path in shelf.rglob("*") if path != shelf} == before


def test_figures_are_named_as_they_are_drawn(call, tmp_path):
    """The pictures' paths on stdout, what each has found on stderr."""
    out, err = call("figures", "moons", "--output", str(tmp_path / "here"))

    assert [line.rpartition("/")[2] for line in out.splitlines()] == [
        "losses.png",
        "gradient-flow.png",
        "gates-layer1.png",
    ]
    assert "moons: held-out loss" in err


def test_the_queue_as_json_has_the_records_own_fields(filled):
    """Scripts find the field names of the record."""
    drafts = json.loads(filled("queue", "--json")[0])

    assert drafts
    assert set(drafts[0]) == set(Draft.__dataclass_fields__)
    assert {draft["status"] for draft in drafts} == {"pending"}


def test_a_draft_goes_from_pending_to_posted(filled, bot_folder):
    """fill, approve, post: then it is posted, and the file has it."""
    filled("approve", "1")
    out, _ = filled("post", "night", "--json")

    assert [delivery["state"] for delivery in json.loads(out)] == ["sent", "sent"]
    assert json.loads(filled("queue", "--status", "posted", "--json")[0])[0]["id"] == 1
    assert (bot_folder.parent / "posts.jsonl").exists()


def test_a_dry_run_posts_nothing(filled, bot_folder):
    """It says what would go where, and the draft stays approved."""
    filled("approve", "1")
    out, _ = filled("post", "night", "--dry-run")

    assert len(out.splitlines()) == 2
    assert not (bot_folder.parent / "posts.jsonl").exists()
    assert json.loads(filled("queue", "--status", "approved", "--json")[0])[0]["id"] == 1


def test_a_dry_run_shows_the_draft_that_would_be_posted(filled):
    """First approved, first posted, whatever the numbers say."""
    filled("approve", "2")
    filled("approve", "1")
    texts = {draft["id"]: draft["text"] for draft in json.loads(filled("queue", "--json")[0])}

    assert texts[2] in filled("post", "night", "--dry-run")[0]
    filled("post", "night")
    assert texts[1] in filled("post", "night", "--dry-run")[0]


def test_what_is_stopped_is_not_posted(filled, bot_folder):
    """The stop switch holds for a person's own command too, is shown by status, and is lifted."""
    filled("approve", "1")
    assert "bot resume night" in filled("stop", "night", "--reason", "holidays")[0]
    with pytest.raises(BotError, match=r"draft 1 is scheduled and waits: night is stopped by .*: holidays"):
        filled("post", "night")
    assert [halt.reason for halt in standing(House(load(bot_folder)), "night").halts] == ["holidays"]
    shown = CliRunner().invoke(app, ["status", "--config", str(bot_folder)]).stdout
    assert "night is stopped by" in shown
    assert not (bot_folder.parent / "posts.jsonl").exists()

    assert "Lifted: night is stopped by" in filled("resume", "night")[0]
    assert "night was not stopped" in filled("resume", "night")[0]


def test_a_file_stops_all(filled, bot_folder):
    """STOP beside config.yaml, whatever it holds; it is removed as it was made."""
    filled("approve", "1")
    stop = bot_folder.parent / "STOP"
    stop.touch()
    with pytest.raises(BotError, match=r"all bots are stopped by the file .*STOP"):
        filled("post", "night")
    with pytest.raises(BotError, match="STOP stops all bots: remove it"):
        filled("resume")


def test_a_misspelt_bot_is_not_stopped(call):
    """Nobody shall believe that something was stopped which was not."""
    with pytest.raises(BotError, match="there is no bot 'nigth'"):
        call("stop", "nigth")


def test_a_limit_is_shown(filled, bot_folder):
    """What is due and waits for a limit stands in the status, with its reason and until when."""
    text = bot_folder.read_text().replace("    schedule:", "    limits: {per_hour: 1}\n    schedule:")
    bot_folder.write_text(text)
    for id in ("1", "2"):
        filled("approve", id)
    filled("post", "night")
    with pytest.raises(BotError, match=r"waits: jsonl .* has had its 1 post of one hour \(limits.per_hour\)"):
        filled("post", "night")

    assert {hold.waiting for hold in standing(House(load(bot_folder)), "night").holds} == {1}
    shown = CliRunner().invoke(app, ["status", "--config", str(bot_folder)]).stdout
    assert "has had its 1 post of one hour" in " ".join(shown.split())


def test_a_post_that_is_refused_is_an_error(filled, bot_folder):
    """The exit code tells a script that nothing was posted."""
    for id in ("1", "2"):
        filled("edit", id, "A moon that nobody has seen")
        filled("approve", id)
    filled("post", "night")

    with pytest.raises(BotError, match="draft 2 is refused"):
        filled("post", "night")


def test_an_edit_needs_its_own_approval(filled):
    """An approved draft that is edited is pending again, at revision 2."""
    filled("approve", "1")
    filled("edit", "1", "The Last Moon of All")

    [draft, *_] = json.loads(filled("queue", "--json")[0])
    assert (draft["text"], draft["status"], draft["revision"]) == ("The Last Moon of All", "pending", 2)


def test_an_edit_that_would_notify_somebody_is_refused(filled):
    """The fixed gate judges people's texts too."""
    with pytest.raises(BotError, match="would notify"):
        filled("edit", "1", "hello @nobody")


def test_what_speaks_against_an_edit_is_told(filled):
    """At the edit, at its approval and in the queue: who decides by number sees no card."""
    _, edited = filled("edit", "1", "The L\u0430st Moon")  # a Cyrillic letter
    listed, _ = filled("queue")
    _, approved = filled("approve", "1")

    doubt = "gate.safety: “L\u0430st” is spelled with letters of several scripts"
    assert doubt in edited
    assert doubt in approved
    assert "pending ?" in listed


def test_a_decision_can_be_undone(filled):
    """reject, undo: pending again."""
    filled("reject", "1")
    _, err = filled("undo", "1")

    assert "1 is pending again" in err


def test_without_a_number_the_latest_decision_is_undone(filled):
    """One's own, and then the one before it; none left is told."""
    filled("reject", "1", "2")

    assert "2 is pending again" in filled("undo")[1]
    assert "1 is pending again" in filled("undo")[1]
    with pytest.raises(BotError, match="there is nothing to undo"):
        filled("undo")


def test_several_drafts_are_decided_at_once(filled):
    """approve and reject take many ids."""
    filled("reject", "1", "2", "3")

    assert len(json.loads(filled("queue", "--status", "rejected", "--json")[0])) == 3


def test_a_replay_is_identical_here(filled):
    """The text stands on stdout, the promise on stderr."""
    text = json.loads(filled("queue", "--json")[0])[0]["text"]

    out, err = filled("replay", "1")

    assert out == f"{text}\n"
    assert "identical, byte for byte" in err


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("fill", "nigth"), "no bot 'nigth'"),
        (("sample", "moon"), "no model 'moon'.*Did you mean 'moons'"),
        (("approve", "999"), "999"),
        (("queue", "--status", "pendig"), "pendig"),
        (("post", "night"), "no draft is approved"),
        (("calendar", "nigth"), "no bot 'nigth'"),
        (("replay", "999"), "999"),
        (("train", "suns"), "no model 'suns'"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else None,
)
def test_a_wrong_name_is_told(call, words, message):
    """What is not there is named."""
    with pytest.raises(BotError, match=message):
        call(*words)


def test_a_number_that_no_database_takes_is_told(bot_folder):
    """It is an error in the command, not a traceback."""
    result = CliRunner().invoke(app, ["approve", str(2**63), "--config", str(bot_folder)])

    assert result.exit_code == 2
    assert "9223372036854775807" in result.stderr


def test_what_is_piped_into_the_review_decides_nothing(call):
    """Without a terminal it does not open, and says what to use instead."""
    with pytest.raises(BotError, match=r"needs a terminal; .*bot approve"):
        call("review")


def test_the_doctor_names_what_is_missing(tmp_path):
    """Every finding has its remedy, and the exit code tells that something is wrong."""
    (tmp_path / "config.yaml").write_text(
        "models: {bare: {}, typo: {corpus: {line: {path: x}}}, away: {corpus: {lines: {path: x}}}}\n"
        "bots:\n  lost: {model: bare, review: automtic}\n"
        "  bold: {model: bare, targets: [{x: {made_with_ai: false}}]}\n"
    )

    result = CliRunner().invoke(app, ["doctor", "--json", "--config", str(tmp_path / "config.yaml")])

    assert result.exit_code == 1
    bad = {finding["what"] for finding in json.loads(result.stdout) if not finding["ok"]}
    assert bad == {
        *("model bare", "model typo", "model away"),  # neither a corpus to learn from nor a checkpoint
        *("bot lost: checkpoint", "bot lost: review", "bot lost: targets"),
        *("bot bold: checkpoint", "bot bold: x"),  # what the target itself advises
    }


def test_the_schema_is_json(tmp_path):
    """It can be written beside config.yaml."""
    result = CliRunner().invoke(app, ["schema", str(tmp_path / "config.schema.json")])

    assert result.exit_code == 0
    assert json.loads((tmp_path / "config.schema.json").read_text())["properties"].keys() >= {
        "models",
        "bots",
    }


def test_filling_beyond_the_queues_size_is_told(call):
    """`bot fill` adds whatever waits already; `bot run` would not."""
    _, first = call("fill", "night", "-n", "4", "--seed", "5")
    _, second = call("fill", "night", "--seed", "6")

    assert "queue_size" not in first
    assert "More than its queue_size of 8: `bot run` adds none" in second


def test_a_counted_model_is_not_held_against_itself(bot_folder):
    """An n-gram is neither better nor worse than the 5-gram; a finished network is said to be one."""
    text = bot_folder.read_text()
    again = CliRunner().invoke(app, ["train", "moons", "--config", str(bot_folder)])
    bot_folder.write_text(text.replace("cell: gru", "cell: ngram"))
    counted = CliRunner().invoke(app, ["train", "moons", "--config", str(bot_folder)])

    assert counted.exit_code == again.exit_code == 0
    assert "moons is trained: all 60 steps done" in again.stderr
    assert "Best held-out loss" in counted.stderr
    assert "5-gram" not in counted.stderr
