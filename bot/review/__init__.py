"""Drafts become decisions here: by a person in the terminal, or by a policy that has a name."""
