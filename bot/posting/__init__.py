"""From decisions to posts. It knows no SQL, no configuration and no platform: they are handed to it."""
