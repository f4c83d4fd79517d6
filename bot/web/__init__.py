"""The queue as pages: what the terminal's review does, in a browser, for whoever has logged in.

It is handed what it shows and whom it asks (`office`); it knows no model, no configuration and no SQL.
"""
