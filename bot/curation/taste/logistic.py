"""Logistic regression with an L2 penalty, solved in its dual by Newton's method: the matrices are as large as
there are examples, however many features these have.

It knows kernels and labels, no draft.
"""

import numpy as np
from numpy.typing import NDArray

Vector = NDArray[np.float64]
Matrix = NDArray[np.float64]

STEPS = 100
CLOSE = 1e-9


def solve(kernel: Matrix, labels: Vector, weights: Vector, start: Vector | None = None) -> Vector:
    """The dual coefficients a, by which an example's logit is kernel @ a.

    They maximise sum(weights * log p(labels)) - a @ kernel @ a / 2, which is the penalised likelihood of the
    primal weights X.T @ a where kernel = X @ X.T (Rasmussen and Williams 2006, algorithm 3.1).
    kernel: (n, n), positive semidefinite. labels: 0 or 1. start: coefficients to begin at.
    """
    a = np.zeros(len(labels)) if start is None else start
    logits = kernel @ a
    value = _objective(a, logits, labels, weights)
    for _ in range(STEPS):
        p = sigmoid(logits)
        residual = weights * (labels - p)
        if np.abs(a - residual).max(initial=0.0) < CLOSE:
            break
        step = _newton(kernel, logits, residual, np.sqrt(weights * p * (1 - p))) - a
        size, along = 1.0, kernel @ step
        while (new := _objective(a + size * step, logits + size * along, labels, weights)) < value - CLOSE:
            size /= 2  # a full step can overshoot where the logits are large
        a, logits, value = a + size * step, logits + size * along, new
    return a


def _newton(kernel: Matrix, logits: Vector, residual: Vector, root: Vector) -> Vector:
    """Where Newton's step leads; root: of the curvature, so that the matrix to solve is well conditioned."""
    b = root**2 * logits + residual
    matrix = np.outer(root, root) * kernel
    matrix[np.diag_indices_from(matrix)] += 1.0
    return b - root * np.linalg.solve(matrix, root * (kernel @ b))


def _objective(a: Vector, logits: Vector, labels: Vector, weights: Vector) -> float:
    return float(-weights @ losses(logits, labels) - a @ logits / 2)


def losses(logits: Vector, labels: Vector) -> Vector:
    """Minus the log probability of each label, in nats."""
    return np.logaddexp(0.0, np.where(labels > 0, -logits, logits))


def sigmoid(logits: Vector) -> Vector:
    return 0.5 * (1.0 + np.tanh(0.5 * logits))
