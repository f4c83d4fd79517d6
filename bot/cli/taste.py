"""taste: what was learned from the owner's decisions, and how well."""

import math
from dataclasses import asdict

from bot.cli.app import HERE, AsJson, BotName, ConfigPath, app, open_house, print_json


@app.command()
def taste(bot: BotName, as_json: AsJson = False, config: ConfigPath = HERE) -> None:
    """Show what the bot has learned from your decisions, how well, and what the policy taste would do."""
    from bot.curation.taste.report import report
    from bot.review.policies import unquestioned

    house = open_house(config)
    setting = house.bot(bot).taste
    found = report(house.judgements.list(bot), setting.precision)
    liking = house.liking(bot)
    now = sum(unquestioned(draft) and liking(draft) for draft in house.drafts.list("pending", bot))
    last = house.judgements.last_division(bot)
    if as_json:
        settings = {"bot": bot, "review": house.bot(bot).review, "explore": setting.explore}
        print_json(
            _finite(
                settings
                | asdict(found)
                | {"would_now": now, "division": {band: it._asdict() for band, it in last.items()}}
            )
        )
        return
    from bot.cli.taste_screen import show_taste

    show_taste(found, house.bot(bot), now, last)


def _finite(value: object) -> object:
    """JSON has no nan and no infinity: null is what is not known."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {key: _finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(item) for item in value]
    return value
