"""The owner's taste, learned from decisions: what would be approved, how sure that is, what is shown next.

features     what it is learned from: a draft's numbers and its hashed n-grams
logistic     the solver
model        the taste, and the fit
prequential  every decision foretold from those before it
measures     how good a ranking was
learner      keeps up with somebody who decides
picking      which draft is shown next, and how probable that was
threshold    from which probability on a policy may approve
arms         which checkpoints, bands and samplers earn approvals, and their parts of a batch
report       all of it in figures and words

It decides nothing, and knows neither where decisions are kept nor how drafts are made.
"""
