"""Settings: read strictly, typed, and every mistake named with its place."""

import json
import pickle
import re
from contextlib import suppress
from dataclasses import fields
from datetime import time, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.config import Bot, Choice, Config, Model, SamplingSettings, Schedule, Training, load, schema, shipped
from bot.config.reader import MAX_BYTES, read
from bot.errors import ConfigError
from bot.host.wishes import sampled_by
from bot.records import Sampling
from bot.registry import Registry

BEERS = """\
database: sqlite:///bot.db
models:
  beers:
    corpus: {lines: {path: beers.txt}}
    tokenizer: characters
    cell: gru
    hidden_size: 256
    training: {max_steps: 2000, learning_rate: 4e-3, dropout: 0.2}
bots:
  beers:
    model: beers
    sampling: {temperature: [0.7, 0.9]}
    filters:
      - length: {min: 3, max: 40}
      - not_in_training: {edits: 1}
      - not_seen_before
    review: manual
    schedule: {at: ["09:00", 17:30], days: [mon, wed, fri], zone: Europe/Berlin}
    targets:
      - jsonl: {path: posts.jsonl}
"""


@pytest.fixture
def config_file(tmp_path, monkeypatch):
    """Writes config.yaml into the working folder, so that messages name it as a user sees it."""
    monkeypatch.chdir(tmp_path)

    def write(text: str | bytes) -> Path:
        path = Path("config.yaml")
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return path

    return write


@pytest.fixture
def errors_of(config_file):
    """The lines of the error that a text loads to."""

    def load_and_fail(text: str | bytes) -> list[str]:
        with pytest.raises(ConfigError) as caught:
            load(config_file(text))
        return str(caught.value).split("\n")

    return load_and_fail


def test_a_file_becomes_typed_settings(config_file):
    """The example of the documentation loads to exactly the values it states."""
    config = load(config_file(BEERS))

    model, bot = config.models["beers"], config.bots["beers"]
    assert model.corpus == Choice("lines", {"path": "beers.txt"})
    assert model.training == Training(max_steps=2000, learning_rate=0.004, dropout=0.2)
    assert bot.sampling.temperature == (0.7, 0.9)
    assert bot.filters[2] == Choice("not_seen_before")
    assert bot.schedule.at == (time(9), time(17, 30))
    assert bot.schedule.days == ("mon", "wed", "fri")


def test_an_empty_file_is_the_built_in_defaults(config_file):
    """Nothing has to be set."""
    assert load(config_file("# nothing\n")).model_dump() == Config().model_dump()


@pytest.mark.parametrize(
    ("written", "bytes"), [("1GiB", 2**30), ("512 MiB", 2**29), ("3KiB", 3072), ("5000MiB", 5000 * 2**20)]
)
def test_memory_is_written_with_its_unit(config_file, written, bytes):
    """A number without one could be bytes or gigabytes."""
    config = load(config_file(f"host: {{memory: {written}}}"))

    assert config.host.memory == bytes
    assert Config.model_validate_json(config.model_dump_json()).host == config.host


def test_settings_travel_to_child_processes(config_file):
    """A configuration with its places survives pickling."""
    config = load(config_file(BEERS))

    copy = pickle.loads(pickle.dumps(config))

    assert copy == config
    assert copy.folder == config.folder
    assert copy.bots["beers"].filters[0].place == config.bots["beers"].filters[0].place


@pytest.mark.parametrize("text", [BEERS, BEERS.replace("temperature: [0.7, 0.9]", "band: wild")])
def test_settings_written_out_load_to_the_same(config_file, text):
    """JSON is YAML: a dump of the settings is a settings file of the same meaning."""
    config = load(config_file(text))
    dumped = config.model_dump(mode="json", exclude_unset=True)

    assert load(config_file(json.dumps(dumped))).model_dump() == config.model_dump()


def test_settings_are_frozen(config_file):
    """Nobody changes a setting on its way through the program."""
    with pytest.raises(ValueError, match="frozen"):
        load(config_file(BEERS)).database = "sqlite://"


def test_a_choice_knows_where_it_stands(config_file):
    """Errors found later, when a plugin is looked up, can still name file, line and column."""
    config = load(config_file(BEERS))
    length, _, seen = config.bots["beers"].filters

    assert str(length.place) == "config.yaml:14:9: bots.beers.filters.0.length"
    assert length.where("max") == "config.yaml:14:26: bots.beers.filters.0.length.max"
    assert seen.where() == "config.yaml:16:9: bots.beers.filters.2"
    assert Choice("length").where("max") == "length.max"


def test_paths_begin_at_the_files_folder(tmp_path, monkeypatch):
    """Database and checkpoints lie beside the file, wherever the command is run from."""
    file = tmp_path / "a" / "config.yaml"
    file.parent.mkdir()
    file.write_text("database: sqlite:///../b/bot.db\ncheckpoints: ../c\n")
    monkeypatch.chdir("/")

    config = load(file)

    assert config.folder == file.parent
    assert config.database_url == f"sqlite:///{tmp_path}/b/bot.db"
    assert config.checkpoints_folder == tmp_path / "c"


@pytest.mark.parametrize(
    "url", ["sqlite://", "sqlite:///:memory:", "postgresql://h/bot", "sqlite:////a/bot.db"]
)
def test_other_databases_keep_their_address(config_file, url):
    """Only a SQLite file's relative path is resolved."""
    assert load(config_file(f'database: "{url}"')).database_url == url


# ---- mistakes -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "models:\n  a: {hiden_size: 9}",
            "2:7: models.a: no setting 'hiden_size' (have cell, corpus, embedding_size, head_norm, "
            "hidden_size, num_layers, preset, source_tags, tokenizer, training, warning). "
            "Did you mean 'hidden_size'?",
        ),
        (
            "model: {}",
            "1:1: no setting 'model' (have bots, checkpoints, database, device, host, models, web). "
            "Did you mean 'models'?",
        ),
        (
            "_file: x",
            "1:1: no setting '_file' (have bots, checkpoints, database, device, host, models, web).",
        ),
        (
            "host: {memory: 1000000}",
            "1:8: host.memory: expected a number and one of KiB, MiB, GiB (as 512MiB or 2GiB), not 1000000",
        ),
        (
            "host: {memory: 1.5GiB}",
            "1:8: host.memory: expected a number and one of KiB, MiB, GiB (as 512MiB or 2GiB), not '1.5GiB'",
        ),
        ("device: gpu", "1:1: device: there is no 'gpu' (have auto, cpu, cuda, mps). Did you mean 'cpu'?"),
        ("models: {a: {num_layers: '1'}}", "1:14: models.a.num_layers: expected a whole number, not '1'"),
        ("models: {a: {num_layers: true}}", "1:14: models.a.num_layers: expected a whole number, not true"),
        ("models: {a: {num_layers: 1.0}}", "1:14: models.a.num_layers: expected a whole number, not 1.0"),
        (
            "models: {a: {num_layers: 0}}",
            "1:14: models.a.num_layers: must be greater than or equal to 1, not 0",
        ),
        ("models: {a: }", "1:10: models.a: expected a mapping of settings, not null"),
        ("models: []", "1:1: models: expected a mapping of names to values, not a list"),
        (
            "models: {a: {training: {schedule: cosin}}}",
            "1:25: models.a.training.schedule: there is no 'cosin' (have constant, cosine, epochs). "
            "Did you mean 'cosine'?",
        ),
        (
            "models: {a: {training: {dropout: .inf}}}",
            "1:25: models.a.training.dropout: must be a finite number, not Infinity",
        ),
        (
            "models: {a: {cell: {gru: {}, lstm: {}}}}",
            "1:14: models.a.cell: expected a plugin's name, or {name: {option: value, ...}} with one name",
        ),
        (
            "models: {../a: {}}",
            "1:10: models.../a: a name has up to 64 of a-z, 0-9, '.', '_', '-' "
            "and begins with a letter or digit",
        ),
        ("bots: {b: {}}", "1:8: bots.b: the setting 'model' is missing"),
        (
            "models: {beers: {}}\nbots: {b: {model: beer}}",
            "2:12: bots.b.model: no model 'beer' (have beers). Did you mean 'beers'?",
        ),
        ("bots: {b: {model: a}}", "1:12: bots.b.model: no model 'a' (there are none)."),
        ("5", "1:1: expected a mapping of settings, not 5"),
    ],
)
def test_a_mistake_is_named_with_its_place(errors_of, text, message):
    """One line: the file, the line, the column, the dotted key, what is wrong and what would be right."""
    [line] = errors_of(text)

    assert line == f"config.yaml:{message}"


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ("sampling: {temperature: 0.8, band: wild}", "sampling: set temperature or band, not both"),
        (
            "sampling: {band: wlid}",
            "sampling.band: expected a band or {BAND: share, ...}, not 'wlid' (have balanced, safe, wild)."
            " Did you mean 'wild'?",
        ),
        (
            "sampling: {band: {save: 1}}",
            "sampling.band: there is no band 'save' (have balanced, safe, wild). Did you mean 'safe'?",
        ),
        ("sampling: {band: {safe: 0}}", "sampling.band: safe: expected a share above 0, not 0"),
        ("sampling: {min_length: 9, max_length: 8}", "sampling: min_length 9 is more than max_length 8"),
        (
            "sampling: {temperature: [.9, .7]}",
            "sampling.temperature: the lower temperature comes first: [0.7, 0.9]",
        ),
        (
            "sampling: {temperature: hot}",
            "sampling.temperature: expected a temperature or [lowest, highest], not 'hot'",
        ),
        ("sampling: {temperature: -1}", "sampling.temperature.0: must be greater than 0, not -1"),
        ("schedule: {}", "schedule: set one of at (times of day) and every (an interval)"),
        (
            'schedule: {at: ["09:00"], every: 1h}',
            "schedule: set one of at (times of day) and every (an interval)",
        ),
        (
            "schedule: {every: 1h, until: 2027-02-30}",
            "schedule.until: expected a date as 2027-01-31, not '2027-02-30'",
        ),
        (
            "schedule: {every: 1h, missed: skp}",
            "schedule.missed: expected one, skip or {within: 6h}, not 'skp' (have one, skip). "
            "Did you mean 'skip'?",
        ),
        (
            "schedule: {every: 1h, missed: {within: 6}}",
            "schedule.missed: expected a number and one of s, m, h, d (as 30m or 6h), not 6",
        ),
        ("schedule: {every: 1h, recycle: 6d}", "schedule.recycle: a favourite rests for a week at least: 7d"),
        ("schedule: {every: 1h, days: [mon]}", "schedule: days belong to at, not to every"),
        ("schedule: {every: 1h, zone: UTC}", "schedule: zone belongs to at and quiet, not to every"),
        (
            'schedule: {every: 1d, quiet: ["22:00", "07:00"]}',
            "schedule: quiet may hold all slots of such an interval: use at, or a shorter one",
        ),
        (
            'schedule: {at: ["06:59"], quiet: ["22:00", "07:00"]}',
            "schedule: at: 06:59 lies in the quiet hours",
        ),
        (
            'schedule: {at: ["09:00"], quiet: ["22:00", "22:00"]}',
            "schedule.quiet: from 22:00 to 22:00 is no part of a day",
        ),
        (
            "schedule: {every: 90}",
            "schedule.every: expected a number and one of s, m, h, d (as 30m or 6h), not 90",
        ),
        ("schedule: {at: [24:00]}", "schedule.at.0: expected a time of day as \"09:30\", not '24:00'"),
        (
            "schedule: {at: [9:00], days: []}",
            "schedule.at.0: expected a time of day as \"09:30\", not '9:00'",
        ),
        ('schedule: {at: "09:00"}', "schedule.at: expected a list, not '09:00'"),
        (
            "schedule: {at: ['09:00'], days: [no]}",
            "schedule.days.0: there is no 'no' (have fri, mon, sat, sun, thu, tue, wed).",
        ),
        (
            "schedule: {at: ['09:00'], zone: Europe/Berln}",
            "schedule.zone: no time zone 'Europe/Berln', expected an IANA name as Europe/Berlin. "
            "Did you mean 'Europe/Berlin'?",
        ),
        (
            "schedule: {at: ['09:00'], zone: ../UTC}",
            "schedule.zone: no time zone '../UTC', expected an IANA name",
        ),
    ],
)
def test_settings_that_contradict_each_other(errors_of, setting, message):
    """What makes no sense together, or is no time, day, zone or temperature, is refused in words."""
    line, *_ = errors_of(f"models: {{a: {{}}}}\nbots:\n  b:\n    model: a\n    {setting}\n")

    assert f": bots.b.{message}" in line


def test_all_mistakes_are_listed_in_the_files_order(errors_of):
    """A user mends a file in one go."""
    lines = errors_of("bots: {b: {}}\nmodels:\n  a: {num_layers: 0}\ndata: x\n")

    assert [line.split(":")[1] for line in lines] == ["1", "3", "4"]


def test_very_many_mistakes_are_counted(errors_of):
    """A wrong file does not flood the terminal."""
    lines = errors_of("".join(f"key{n}: 1\n" for n in range(1000)))

    assert len(lines) == 31
    assert lines[-1] == "... and 970 more"


@pytest.mark.parametrize("address", ["me:swordfish@host/bot", "host/bot?user=me&password=swordfish"])
def test_a_password_in_the_database_address_is_refused_unseen(errors_of, address):
    """The message does not repeat the password."""
    [line] = errors_of(f"database: postgresql://{address}")

    assert "a password does not belong in this file" in line
    assert "swordfish" not in line


# ---- YAML ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("12:30", "12:30"),
        ("no", "no"),
        ("on", "on"),
        ("1e-3", 0.001),
        ("1_000", "1_000"),
        ("010", 10),
        ("0o10", 8),
        ("0xff", 255),
        ("0b1", "0b1"),
        ("-3", -3),
        ("+.5", 0.5),
        ("1.", 1.0),
        ("-.INF", float("-inf")),
        ("2026-01-01", "2026-01-01"),
        ("=", "="),
        ("<<", "<<"),
        ("TRUE", True),
        ("tRUE", "tRUE"),
        ("~", None),
        ("", None),
        ("'5'", "5"),
        ('"a\\tb"', "a\tb"),
    ],
)
def test_scalars_follow_the_core_schema_of_yaml_1_2(config_file, written, value):
    """None of YAML 1.1's surprises: no octal times, no `no` as false, exponents without a dot are numbers."""
    read_value = read(config_file(f"key: {written}")).data["key"]

    assert read_value == value
    assert type(read_value) is type(value)


def test_keys_are_text(config_file):
    """A model may be called 1349 and a bot no."""
    assert read(config_file("1349: a\nno: b\n")).data == {"1349": "a", "no": "b"}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a:\n  b: 1\n  'b': 2", "3:3: a.b: is here a second time, first on line 2"),
        ("a: &x 1", "1:4: anchors and aliases are not allowed: write the value out"),
        ("a: *x", "1:4: anchors and aliases are not allowed: write the value out"),
        ("a: !!str 1", "1:4: tags are not allowed: write a plain value"),
        ("a: !!python/object/apply:os.system [x]", "1:4: tags are not allowed: write a plain value"),
        ("? [a]\n: 1", "1:3: a key must be a single word or a quoted text"),
        ("a: 1\n---\nb: 1", "2:1: a second document begins: a settings file is one, without ---"),
        ("a:\n\t- b", "2:1: a tab: indent with spaces"),
        ("[" * 5000, "1:21: nested more than 20 deep"),
        ("{a: " * 5000, "1:78: nested more than 20 deep"),
        ("a: " + "9" * 5000, "1:4: this number has too many digits"),
        ('a: "\\0"', "1:4: the character U+0000 is not allowed"),
        ('a: "\\ud800"', "1:4: the character U+D800 is not allowed"),
        ("a: b\nc: \x07", "2: the character U+0007 is not allowed"),
        (b"a: b\nc: \xfc", "2: byte 8 is not UTF-8. Save the file as UTF-8"),
        (b"#" * (MAX_BYTES + 1), " larger than 150,000 bytes: this is no settings file"),
    ],
)
def test_what_a_settings_file_has_no_need_of_is_refused(errors_of, text, message):
    """Duplicate keys, aliases, tags, bottomless nesting, broken bytes: one line each, none of them hangs."""
    [line] = errors_of(text)

    assert line == f"config.yaml:{message}"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: b: c", "1:5: a second setting cannot begin within a line: put a text with a colon into quotes"),
        ("a: 1\n  b: 2", "2:4: a second setting cannot begin within a line"),
        (
            "a: 1\nb\nc: 2",
            "2:1: there is no colon after the name of a setting, which is written `name: value`",
        ),
        ("a:\n  b: 1\n c: 2", "3:2: the line does not begin where those do that it belongs to"),
        ("- a\nb: 1", "2:1: the line does not begin where those do that it belongs to"),
        ("a: - b", "1:4: an item of a list begins a line of its own, as `- item`"),
        ("a: @b", "1:4: a text that begins with '@' needs quotes"),
        ('a: "b\\q"', "1:7: in double quotes a backslash begins a sign of its own: use single quotes"),
        ('a: "b\nc: 2', "1:4: the quotation mark that opens here is not closed"),
        ("a: [1, 2\nb: 3", "1:4: the [ that opens here is not closed, or a comma is missing in it"),
        ("a: {b: 1\nc: 2", "1:4: the { that opens here is not closed, or a comma is missing in it"),
        ("a: [1,,2]", "1:7: there is no value where ',' stands"),
    ],
)
def test_what_is_no_yaml_is_told_in_plain_words(errors_of, text, message):
    """With the place where a person mends it, and none of a parser's own words."""
    [line] = errors_of(text)

    assert line.startswith(f"config.yaml:{message}")
    assert not re.search("scalar|block|mapping|token|flow|node", line)


def test_a_file_from_windows_reads_the_same(config_file):
    """CRLF and a byte order mark change nothing."""
    windows = b"\xef\xbb\xbf" + BEERS.replace("\n", "\r\n").encode()

    assert load(config_file(windows)).model_dump() == load(config_file(BEERS)).model_dump()


def test_a_missing_file_is_said_plainly(tmp_path):
    """No traceback for a wrong --config."""
    with pytest.raises(ConfigError, match=r"nowhere\.yaml: no such file here; .*bot init"):
        load(tmp_path / "nowhere.yaml")


@pytest.fixture(scope="module")
def scratch(tmp_path_factory):
    return tmp_path_factory.mktemp("config") / "config.yaml"


yaml_like = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text("ab0:.", max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abc"), inner, max_size=3),
    max_leaves=6,
)


@given(
    group=st.sampled_from(["models", "bots"]),
    settings=st.dictionaries(
        st.sampled_from([*Model.model_fields, *Bot.model_fields, "sampling", "x"]), yaml_like, max_size=3
    ),
)
def test_no_data_makes_loading_fail_otherwise_than_in_words(scratch, group, settings):
    """Whatever stands in a file, it loads or a ConfigError says why not."""
    scratch.write_text(json.dumps({group: {"a": settings}}))
    with suppress(ConfigError):
        load(scratch)


@given(st.text(" \n\t\r:-?[]{},&*!|>'\"%@`#ab0.~<=\\\0\x85\u2028\ufeff\ud800", max_size=60))
def test_no_text_makes_reading_fail_otherwise_than_in_words(scratch, text):
    """Any text, however much it looks like YAML, is data or a ConfigError."""
    scratch.write_bytes(text.encode("utf-8", "surrogatepass"))
    with suppress(ConfigError):
        read(scratch)


@given(count=st.integers(1, 999_999), unit=st.sampled_from("smhd"))
def test_intervals_count_in_their_unit(count, unit):
    """30m is thirty minutes."""
    seconds = {"s": 1, "m": 60, "h": 3600, "d": 86400}[unit]

    assert Schedule(every=f"{count}{unit}").every == timedelta(seconds=count * seconds)


# ---- the schema and the shipped files -----------------------------------------------------------


def test_the_schema_describes_every_setting():
    """An editor shows for each setting what it does, and marks unknown ones."""
    groups = [schema(), *schema()["$defs"].values()]

    assert all(group["additionalProperties"] is False for group in groups)
    for group in groups:
        for name, setting in group["properties"].items():
            assert setting.get("description"), f"{group['title']}.{name} is not described"


def test_the_schema_is_json():
    """It is written to a file as it is."""
    assert json.loads(json.dumps(schema()))["title"] == "Config"


def test_the_shipped_file_states_the_defaults():
    """Apart from the shipped model and bot, config.yaml loads to exactly the built-in defaults."""
    config = load(shipped() / "config.yaml")

    assert list(config.models) == ["death_metal"]
    assert list(config.bots) == ["metal"]
    assert config.model_copy(update={"models": {}, "bots": {}}).model_dump() == Config().model_dump()


def _shipped_groups():
    config = load(shipped() / "config.yaml")
    model, bot = config.models["death_metal"], config.bots["metal"]
    groups = [config, model, model.training, bot, bot.sampling, bot.schedule]
    return [(group, name) for group in groups for name in type(group).model_fields]


@pytest.mark.parametrize(
    ("group", "name"), _shipped_groups(), ids=lambda value: getattr(value, "title", str)()
)
def test_every_setting_stands_in_the_shipped_file_with_a_comment(group, name):
    """A new user sees what there is; where the file differs, the comment says the default."""
    lines = (shipped() / "config.yaml").read_text().splitlines()
    found = [n for n, line in enumerate(lines) if re.match(rf" *(# )?{name}:", line)]
    assert found, f"{name} is not in config.yaml"

    comments = [f"{lines[n - 1]}\n{lines[n]}\n{lines[n + 1]}" for n in found]
    assert any("# " in comment for comment in comments)
    field = type(group).model_fields[name]
    default = field.get_default()
    if getattr(group, name) != default and isinstance(default, str | int | float | Choice):
        written = default.name if isinstance(default, Choice) else default
        assert any(f"default {written}" in comment for comment in comments)


def test_the_recipe_trains_the_shipped_model():
    """What the model card says of the recipe holds for config.yaml and the demo, too."""
    recipe = load(shipped() / "recipes" / "death_metal.yaml")
    ours = load(shipped() / "config.yaml")
    demo = load(shipped() / "recipes" / "demo.yaml", folder=shipped())

    assert recipe.models == ours.models == demo.models
    assert recipe.checkpoints_folder == ours.checkpoints_folder == demo.checkpoints_folder


def test_the_shipped_bots_post_to_this_computer_only():
    """Nothing goes out before a person has changed the file."""
    for file in ("config.yaml", "recipes/demo.yaml"):
        for bot in load(shipped() / file).bots.values():
            assert {target.name for target in bot.targets} <= {"console", "feed", "jsonl"}


@pytest.mark.parametrize(
    "file", ["config.yaml", *(f"recipes/{name}.yaml" for name in ("death_metal", "demo", "lovecraft"))]
)
def test_the_shipped_files_choose_what_there_is(file):
    """Every plugin they name exists and takes the options they give it."""
    config, registry = load(shipped() / file), Registry(None, shipped())

    for model in config.models.values():
        registry.build("corpora", model.corpus)
        registry.build("tokenizers", model.tokenizer)
        registry.build("cells", model.cell, input_size=2, hidden_size=2)
    for bot in config.bots.values():
        for filter in bot.filters:
            registry.build("filters", filter)
        for target in bot.targets:
            registry.build("targets", target)


def test_a_sampling_without_settings_has_one_temperature():
    """The built-in sampling draws every sample at the same temperature."""
    low, high = SamplingSettings().temperature

    assert low == high


def test_every_setting_of_sampling_reaches_the_sampler():
    """Settings and record have the same names and, the band apart, the same defaults."""
    assert sampled_by(SamplingSettings()) == Sampling()
    assert SamplingSettings.model_fields.keys() == {field.name for field in fields(Sampling)}


def test_a_division_needs_something_to_divide(config_file, errors_of):
    """What learns which band earns approvals must be given two at least."""
    bot = "bots: {beers: {model: beers, taste: {allocation: auto}, sampling: {band: %s}}}"
    text = BEERS[: BEERS.index("bots:")]

    assert "name two or more in sampling.band" in errors_of(text + bot % "wild")[0]
    config = load(config_file(text + bot % "{safe: 1, wild: 1}"))
    assert config.bots["beers"].taste.allocation == "auto"


def test_a_bot_may_have_several_checkpoints_and_samplings(config_file):
    """A list of each, or one as ever; what stands in a list knows its line."""
    head, bot = BEERS[: BEERS.index("bots:")], "bots: {beers: {model: beers, %s}}"
    one = load(config_file(head + bot % "checkpoint: latest, sampling: {top_k: 3}")).bots["beers"]
    assert (one.checkpoint, one.sampling) == ("latest", SamplingSettings(top_k=3))
    assert (one.checkpoints, one.samplings) == (("latest",), (SamplingSettings(top_k=3),))

    text = "checkpoint: [best, latest], taste: {allocation: auto}, sampling: [\n{band: balanced},\n"
    two = load(config_file(head + bot % (text + "{constraints: [balanced]}]"))).bots["beers"]

    assert two.checkpoints == ("best", "latest")
    assert two.samplings == (SamplingSettings(band={"balanced": 1.0}), two.sampling[1])
    [rule] = two.sampling[1].constraints
    assert rule.place.line == head.count("\n") + 3


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ("sampling: {top_q: 3}", r"2:23: bots.b.sampling: no setting 'top_q' .*Did you mean 'top_p'"),
        ("sampling: [{}, {top_q: 3}]", r"2:28: .*sampling.1: no setting 'top_q' .*Did you mean 'top_p'"),
        ("sampling: [{top_k: no}]", r"2:24: bots.b.sampling.0.top_k: expected a whole number, not 'no'"),
        ("sampling: [{top_k: 3}, {top_k: 3}]", r"number 2 of the list is the same as number 1"),
        ("sampling: []", r"2:12: bots.b.sampling: name at least one"),
        ("sampling: 3", r"bots.b.sampling: expected a mapping of settings, not 3"),
        ("sampling: [3]", r"bots.b.sampling.0: expected a mapping of settings, not 3"),
        ("checkpoint: []", r"2:12: bots.b.checkpoint: name at least one"),
        ("checkpoint: [best, best]", r"number 2 of the list is the same as number 1"),
        ("checkpoint: [best, 'Ä']", r"2:31: bots.b.checkpoint.1: a name has up to 64 of"),
        ("checkpoint: 3", r"bots.b.checkpoint: expected a text, not 3"),
    ],
)
def test_what_is_wrong_in_a_list_of_ways_to_sample_is_told_with_its_place(errors_of, setting, message):
    """As for a single one, in its own words."""
    [error] = errors_of("models: {m: {}}\nbots: {b: {" + setting + ", model: m}}")

    assert re.search(message, error)


def test_an_error_within_a_mix_names_its_own_line(config_file, tmp_path):
    """A corpus among a corpus's options knows where it stands, and so do its own options."""
    text = """
models:
  both:
    corpus:
      mix:
        sources:
          songs: {lines: {path: songs.txt}}
          titles:
            lines: {pth: titles.txt}
"""
    config = load(config_file(text))

    with pytest.raises(ConfigError) as caught:
        Registry(None, tmp_path).build("corpora", config.models["both"].corpus)

    first, second = str(caught.value).split("\n")
    assert first.endswith(
        "titles.lines: no option 'pth' (have encoding, latin, path, pieces). Did you mean 'path'?"
    )
    assert "config.yaml:9:21: models.both.corpus.mix.sources.titles.lines" in first
    assert "config.yaml:9:13: models.both.corpus.mix.sources.titles.lines: the option 'path'" in second
