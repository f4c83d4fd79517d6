"""Checkpoints that another program wrote with torch.save: read in a confined process, made a model of ours.

process    the confined process, and its parent's side
content    one file -> the tensors of its network and its vocabulary
network    the network's tensors -> by our names, checked
adopting   those and a vocabulary -> a language model that computes the same
"""
