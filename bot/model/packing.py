"""Weights that lie in memory as oneDNN's products want to read them: a third faster than plain ones.

A cell needs to know nothing of it: `linear(x, weight)`, `x @ weight.T` and `addmm` take the packed form by
themselves, whatever else is done with a weight is done with its plain values. The operations are torch's own,
but private: where they are missing, weights stay plain. It does not know what is computed.
"""

import copy
from collections.abc import Callable
from typing import Any, TypeVar

import torch
from torch import Tensor, nn
from torch.nn import functional

ROWS = 32  # what the form is best for; others are computed with it as well

Module = TypeVar("Module", bound=nn.Module)


def packed(module: Module) -> tuple[Module, bool]:
    """The same module with its matrices packed, and whether any is. It shares the rest; for inference."""
    twin = copy.deepcopy(module, {id(tensor): tensor for tensor in (*module.parameters(), *module.buffers())})
    found = [(part, name) for part in twin.modules() for name in part._parameters]
    return twin, sum(_pack(part, name) for part, name in found) > 0


def times(weight: Tensor) -> Callable[[Tensor], Tensor]:
    """What multiplies x (n, K) by a weight (N, K) many times, by its packed form if there is one."""
    plain = weight.dtype != torch.float32 or weight.device.type != "cpu"
    form = None if plain else _form(weight.detach().contiguous())
    if form is None:
        return lambda x: x @ weight.T
    return lambda x: torch.ops.mkldnn._linear_pointwise(x, form, None, "none", [], "")


def _pack(part: nn.Module, name: str) -> bool:
    weight = part._parameters[name]
    if weight is None or weight.dim() != 2 or weight.dtype != torch.float32 or weight.device.type != "cpu":
        return False
    form = _form(weight.detach().contiguous())
    if form is not None:
        delattr(part, name)
        setattr(part, name, Packed.of(weight.detach(), form))
    return form is not None


def _form(weight: Tensor) -> Tensor | None:
    """The packed form, None where torch does not offer it."""
    try:
        form: Tensor = torch.ops.mkldnn._reorder_linear_weight(weight, ROWS)
    except (AttributeError, RuntimeError):
        return None
    return form


class Packed(Tensor):
    """A weight (N, K) with its packed form; `turned` where it stands for its transpose."""

    form: Tensor
    turned: bool

    @classmethod
    def of(cls, weight: Tensor, form: Tensor, turned: bool = False) -> "Packed":
        made = weight.as_subclass(cls)
        made.form, made.turned = form, turned
        return made

    @classmethod
    def __torch_function__(
        cls, function: Callable[..., Any], types: Any, args: Any = (), kwargs: Any = None
    ) -> Any:
        given = kwargs or {}
        if function is functional.linear and _fits(args[:2], turned=False):
            return _product(args[0], args[1], *args[2:], **given)
        if function in PRODUCTS and _fits(args, turned=True):
            return _product(*args)
        if function in SUMS and not given and _fits(args[1:], turned=True) and args[0].dim() == 2:
            return _sum(*args)
        with torch._C.DisableTorchFunctionSubclass():
            if function == TURN and not args[0].turned:
                return cls.of(args[0].T, args[0].form, turned=True)
            return function(*args, **given)


PRODUCTS = {Tensor.matmul, torch.matmul, Tensor.mm, torch.mm}
SUMS = {Tensor.addmm, torch.addmm}
TURN = Tensor.T.__get__  # type: ignore[attr-defined]  # what `weight.T` calls


def _fits(factors: tuple[Any, ...], turned: bool) -> bool:
    x, weight = factors
    rows = type(x) is Tensor and x.dim() == 2 and x.dtype == torch.float32
    return rows and isinstance(weight, Packed) and weight.turned == turned


def _product(x: Tensor, weight: Packed, bias: Tensor | None = None) -> Tensor:
    """x (n, K) -> (n, N)."""
    product: Tensor = torch.ops.mkldnn._linear_pointwise(x, weight.form, bias, "none", [], "")
    return product


def _sum(term: Tensor, x: Tensor, weight: Packed) -> Tensor:
    """term (n, N), x (n, K) -> (n, N)."""
    total: Tensor = torch.ops.mkldnn._linear_pointwise(x, term, weight.form, None, "add")
    return total
