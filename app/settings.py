"""All settings: those of ingest, and the model, the window, answering and the chat."""

from pathlib import Path

from pydantic import Field, SecretStr

from app.answers import ReadAhead, Scope, Thinking
from app.models.geometry import KvType
from ingest.settings import IngestSettings, Section


class ModelSettings(Section):
    """Which language model answers."""

    name: str = Field(
        "",
        description="A GGUF file, a name from `transom models list`, or `hub-repo:file`; "
        "empty picks the one that suits this machine.",
    )
    gpu_layers: int = Field(-1, ge=-1, description="Layers on the GPU, where there is one; -1 means all.")
    kv_type: KvType | None = Field(
        None,
        description="What the numbers in the window's KV cache are kept as: `f16`, `q8_0`, or `q4_0`, which first has "
        "to show that it changes little; unset: f16, or q8_0 where memory is short.",
    )
    swa_full: bool | None = Field(
        None,
        description="Whether layers that see the last tokens only (a sliding window) keep the whole window all the "
        "same; unset: they do not, which is faster and smaller.",
    )
    lora: list[str] = Field(
        [], description="LoRA adapters for the model: GGUF files, each with how much it counts as `FILE:0.5`."
    )


class WindowSettings(Section):
    """How much the model sees at once."""

    tokens: int = Field(
        8192, ge=512, description="Size of the window in tokens, at most what the model was trained for."
    )
    saved_gb: float = Field(
        4.0, ge=0, description="Room on the disk for windows that were read before; the least recently used go first."
    )
    ahead_gb: float = Field(
        2.0, ge=0, description="Room on the disk for passages that are read ahead; the least recently used go first."
    )


class RetrievalSettings(Section):
    """How passages are found for a question."""

    rerank: str = Field(
        "",
        description="A cross-encoder of sentence-transformers that reads the first candidates once more: a folder, or "
        "a hub name that was fetched before (`hf download NAME`). `model`: the model that answers says how likely each "
        "answers the question, as far as a third of the patience allows. Empty: none.",
    )
    candidates: int = Field(20, ge=1, le=100, description="Passages that it reads for a question.")


class AnsweringSettings(Section):
    """How a question is answered."""

    passages: int = Field(5, ge=1, description="How many passages are retrieved for a question.")
    patience: float = Field(
        15.0,
        gt=0,
        description="Seconds until the first word, as far as that is up to Transom: so much is read for a question as "
        "this machine can read in that time, but three passages at least.",
    )
    scope: Scope | None = Field(
        None,
        description="How much of the documents a question brings into the window: the whole `collection`, the whole "
        "`documents` of its passages, the `sections` around them, the `passages` alone; unset: the widest that window "
        "and patience allow.",
    )
    read_ahead: ReadAhead = Field(
        "auto",
        description="Whether passages are read while nobody waits, so that a question need not wait for that: `on`; "
        "`off`; `auto`: what was read is used where reading it for the question would take longer than the patience, "
        "and a trial showed that this model's answers hardly change.",
    )
    thinking: Thinking = Field(
        "auto",
        description="Whether a model that can think does so before it answers; `auto`: where a thought takes no longer "
        "than the patience.",
    )
    answer_tokens: int = Field(512, ge=16, description="Longest answer, in tokens.")
    min_confidence: float = Field(
        0.2,
        ge=0,
        le=1,
        description="If the passages found answer the question with less confidence than this, the model is not "
        "asked. Measured: 0.2 stops .71 of the questions that are foreign to the documents, and .05 of those on "
        "their subject that they do not answer, with precision .93; 0.5 stops .39 with .94, 0.7 stops .69 with .84, "
        "but then 13 % of the answers are lost.",
    )
    temperature: float | None = Field(
        None, ge=0, description="0 always takes the likeliest token; unset: what the model's makers advise."
    )
    seed: int = Field(0, ge=0, description="The same seed gives the same answer again.")


class ChatSettings(Section):
    """The chat in the browser."""

    host: str = Field("127.0.0.1", description="The address it listens on.")
    port: int = Field(8501, ge=1, le=65535, description="The port it listens on.")
    password: SecretStr | None = Field(
        None,
        description="What visitors have to show; without it, the chat listens on this machine only. `transom password` "
        "puts a hash here; the environment variable may hold the password itself.",
    )
    upload_mb: int = Field(100, ge=1, description="The largest file that can be added through the browser.")


class Settings(IngestSettings):
    """Everything that can be set."""

    model: ModelSettings = ModelSettings()
    window: WindowSettings = WindowSettings()
    retrieval: RetrievalSettings = RetrievalSettings()
    answering: AnsweringSettings = AnsweringSettings()
    chat: ChatSettings = ChatSettings()

    @property
    def models_folder(self) -> Path:
        """Where GGUF files are kept."""
        return self.home / "models"
