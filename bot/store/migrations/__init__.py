"""The database's history, one step a file; run on start by bot.store.database."""
