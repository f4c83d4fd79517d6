"""A recipe is read strictly: what it says at each scale, and what is told where it is wrong."""

import pytest

from bot.config.recipe import find_recipe, load_recipe, recipes
from bot.errors import ConfigError
from tests.recipes import RECIPE, small, write_recipe


def test_defaults_hold_for_every_model_and_a_models_own_settings_come_over_them(tmp_path):
    models = small(tmp_path, "document").models
    assert {name: model.hidden_size for name, model in models.items()} == {"plain": 8, "gated": 8}
    assert models["gated"].training.learning_rate == 0.004
    assert models["gated"].training.batch_size == 8


def test_a_scale_changes_what_it_names_and_nothing_else(tmp_path):
    smoke, document = (small(tmp_path, scale) for scale in ("smoke", "document"))
    assert [recipe.models["plain"].training.max_steps for recipe in (smoke, document)] == [10, 20]
    assert smoke.models["gated"].training.learning_rate == 0.004
    assert [recipe.steps[2].options["count"] for recipe in (smoke, document)] == [3, 5]


@pytest.mark.parametrize(
    ("right", "wrong", "complaint"),
    [
        (
            "hidden_size: 8",
            "hiden_size: 8",
            "moons.yaml:7:3: models.gated: no setting 'hiden_size'",
        ),
        ("cell: rnn", "cell: rnn, num_layers: 0", "models.plain.num_layers"),
        ("ours: corpus.kept", "ours: korpus.kept", "no step is called 'korpus.kept'"),
        ("steps: {samples", "steps: {sample", "there is no step 'sample'"),
        ("title: Moons\n", "", "the setting 'title' is missing"),
        (
            "  - corpus: {model: plain}",
            "  - corpus: {model: plain}\n  - corpus: {model: gated}",
            "a second step",
        ),
    ],
)
def test_a_mistake_is_told_with_its_place(tmp_path, right, wrong, complaint):
    assert right in RECIPE
    with pytest.raises(ConfigError) as raised:
        small(tmp_path, text=RECIPE.replace(right, wrong, 1))
    assert complaint in str(raised.value)
    assert "moons.yaml:" in str(raised.value)


def test_a_name_that_there_is_not_is_told_beside_those_that_there_are(tmp_path):
    with pytest.raises(ConfigError, match=r"there is no such recipe.*S0"):
        load_recipe(find_recipe("S9"), "smoke")


def test_a_file_of_ones_own_is_a_recipe_too(tmp_path):
    path = write_recipe(tmp_path)
    assert find_recipe(str(path)) == path


@pytest.mark.parametrize("scale", ["smoke", "document"])
@pytest.mark.parametrize("path", recipes(), ids=lambda path: path.stem)
def test_every_shipped_recipe_can_be_read(path, scale):
    recipe = load_recipe(find_recipe(path.stem.lower()), scale)
    assert recipe.published
    assert all(file.source for file in recipe.data.values())
