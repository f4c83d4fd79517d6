"""From samples to drafts: the chain of filters, the fixed gate, what is new. Loads neither torch nor SQL."""
