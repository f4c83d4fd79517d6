"""The options of Karpathy's char-rnn (2015, github.com/karpathy/char-rnn) and what each becomes here.

docs/char_rnn.md has the same as a table; a test holds the two together. It knows no corpus: that is set
beside the preset, as anything is that shall be otherwise than char-rnn has it.
"""

from typing import Annotated, Any, Literal, Self

from pydantic import Field, model_validator

from bot.config.strict import Settings
from bot.config.values import Count, Positive, Share

MOST = 1_000_000_000  # steps: epochs end a run of char-rnn's
BOUND = 0.08  # within which its weights begin


class CharRnn(Settings):
    """char-rnn's own options with its own defaults."""

    rnn_size: Positive = 128
    """Units of one layer."""
    num_layers: Annotated[int, Field(ge=1, le=16)] = 2
    """Layers."""
    model: Literal["lstm", "gru", "rnn"] = "lstm"
    """The recurrent cell."""
    learning_rate: Annotated[float, Field(gt=0, le=10)] = 0.002
    """The rate of the first epochs."""
    learning_rate_decay: Annotated[float, Field(gt=0, le=1)] = 0.97
    """What the rate is multiplied by after each epoch ..."""
    learning_rate_decay_after: Count = 10
    """... from this one on."""
    decay_rate: Annotated[float, Field(gt=0, lt=1)] = 0.95
    """RMSprop's alpha."""
    dropout: Share = 0.0
    """Share of every layer's outputs left out."""
    seq_length: Annotated[int, Field(ge=2)] = 50
    """Tokens of a chunk, a row."""
    batch_size: Positive = 50
    """Rows side by side."""
    max_epochs: Positive = 50
    """Passes over the text."""
    grad_clip: Annotated[float, Field(gt=0)] = 5.0
    """The greatest value of each number in a gradient."""
    train_frac: Annotated[float, Field(gt=0, lt=1)] = 0.95
    """Share of the chunks to learn from."""
    val_frac: Annotated[float, Field(gt=0, lt=1)] = 0.05
    """Share held out; what both leave is to test with."""
    init_from: str = ""
    """A checkpoint to begin from."""
    seed: Count = 123
    """Where all randomness begins."""
    print_every: Positive = 1
    """Without effect: every step is shown."""
    eval_val_every: Positive = 1000
    """Steps between two checkpoints."""
    checkpoint_dir: str = "cv"
    """Only its default: the folder is `checkpoints` at the top of the file."""
    savefile: Annotated[str, Field(pattern=r"^[a-z0-9._-]{0,20}\z")] = "lstm"
    """What stands in the names of checkpoints after lm_."""
    gpuid: int = -1
    """Only its default: `device` at the top of the file says where it is computed."""

    @model_validator(mode="after")
    def _possible(self) -> Self:
        if self.train_frac + self.val_frac > 1 + 1e-9:
            msg = f"train_frac {self.train_frac:g} and val_frac {self.val_frac:g} are more than 1 together"
            raise ValueError(msg)
        if self.gpuid != -1:
            msg = f"gpuid {self.gpuid}: set `device: cuda` at the top of the file instead"
            raise ValueError(msg)
        if self.checkpoint_dir != "cv":
            msg = f"checkpoint_dir: set `checkpoints: {self.checkpoint_dir}` at the top of the file instead"
            raise ValueError(msg)
        return self

    def translated(self) -> dict[str, Any]:
        """A model's settings that do what these options say, as config.yaml would have them."""
        return {
            "tokenizer": "characters",
            "cell": self.model,
            "embedding_size": self.rnn_size,  # its one-hot inputs are looked up: see docs/char_rnn.md
            "hidden_size": self.rnn_size,
            "num_layers": self.num_layers,
            "training": self._training() | ({"init_from": self.init_from} if self.init_from else {}),
        }

    def _training(self) -> dict[str, Any]:
        return {
            "max_steps": MOST,
            "max_epochs": self.max_epochs,
            "max_minutes": None,
            "batch_size": self.batch_size,
            "sequence_length": self.seq_length,
            "layout": "stream",
            "initial_range": BOUND,
            "learning_rate": self.learning_rate,
            "schedule": "epochs",
            "warmup_steps": 0,
            "decay": self.learning_rate_decay,
            "decay_after": self.learning_rate_decay_after,
            "optimizer": "rmsprop",
            "rmsprop_alpha": self.decay_rate,
            "weight_decay": 0.0,
            "dropout": self.dropout,
            "embedding_dropout": 0.0,
            "weight_dropout": 0.0,
            "averaging": 0.0,
            "gradient_clip": self.grad_clip,
            "clip_by": "value",
            "rollbacks": 0,  # it stops where its loss is no number or explodes
            "validation_share": self.val_frac,
            "test_share": max(0.0, round(1 - self.train_frac - self.val_frac, 9)),
            "evaluate_every": self.eval_val_every,
            "patience": 0,
            "keep_checkpoints": True,
            "name_prefix": f"lm_{self.savefile}_",
            "seed": self.seed,
        }
