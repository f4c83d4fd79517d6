"""What all groups of settings share. It knows no setting."""

from pydantic import BaseModel, ConfigDict


class Settings(BaseModel):
    """Frozen, strict, no unknown keys; the sentence under a setting is its description in the JSON Schema."""

    model_config = ConfigDict(
        frozen=True, strict=True, extra="forbid", use_attribute_docstrings=True, allow_inf_nan=False
    )
