"""Passes and products compiled from C at first use, each the tested equal of torch's way."""
