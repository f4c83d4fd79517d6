"""The delivery core in a world made of a seed: its clocks, processes, store and places to post at.

What runs there is bot.posting itself: the courier, its state machine, and the sender's translation of what
targets do. The world stands behind their interfaces, and no time passes in it but its own.
"""
