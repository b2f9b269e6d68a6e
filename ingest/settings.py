"""Settings of the ingest side, read from `TRANSOM_HOME/transom.toml` and the environment.

An environment variable wins over the file: `TRANSOM_EMBEDDING__MODEL=...` sets `[embedding] model`.
`docs/settings.md` is generated from the descriptions below.
"""

import os
from pathlib import Path
from typing import Any, Literal, Self

from platformdirs import user_data_path
from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

from ingest.errors import SettingsError


def default_home() -> Path:
    """Where all state lives: `TRANSOM_HOME`, or the platform's data folder for Transom."""
    named = os.environ.get("TRANSOM_HOME")
    return Path(named).expanduser().resolve() if named else user_data_path("transom")


class Section(BaseModel):
    """One table of the settings file; an unknown key in it is an error."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class StorageSettings(Section):
    """Where chunks are kept."""

    home: Literal["embedded", "server"] = Field(
        "embedded", description="`embedded`: a directory under TRANSOM_HOME; `server`: a Qdrant server."
    )
    url: str = Field("http://127.0.0.1:6333", description="The Qdrant server, for `server`.")
    api_key: SecretStr | None = Field(None, description="Its API key, if it wants one.")
    name: str = Field("transom", description="The Qdrant collection that holds all of Transom's, for `server`.")


class EmbeddingSettings(Section):
    """Which model turns text into vectors."""

    model: str = Field(
        "all-MiniLM-L6-v2",
        description="A sentence-transformers name or folder; the default comes with the installation.",
    )
    query_prompt: str = Field("", description="Put before a query, for embedders that want one.")
    document_prompt: str = Field("", description="Put before a chunk, for embedders that want one.")
    device: Literal["auto", "cpu", "cuda", "mps"] = Field("auto", description="Where the embedder runs.")
    backend: Literal["auto", "fp32", "onednn", "bf16"] = Field(
        "auto",
        description="How it computes: `auto` measures once which way is fastest on this machine and keeps to float32's "
        "results; `fp32` is torch as it comes, `onednn` the same by another library, `bf16` in bfloat16.",
    )


class ChunkingSettings(Section):
    """How documents are cut."""

    tokens: int = Field(200, ge=16, description="Most tokens of text in a chunk, counted by the embedder's tokenizer.")
    overlap: int = Field(0, ge=0, description="Most tokens that a chunk repeats from the one before it.")


class ReadingSettings(Section):
    """Limits on reading one file."""

    seconds: float = Field(
        120, gt=0, description="A file that takes longer is reported as failed; of a scan, each page has so long."
    )
    memory_mb: int = Field(2048, ge=256, description="A reader that needs more memory is ended (Linux).")
    max_file_mb: int = Field(512, ge=1, description="Larger files are reported, not read.")
    max_text_mb: int = Field(64, ge=1, description="A file that holds more text than this is reported as failed.")
    workers: int = Field(2, ge=1, description="Files read at the same time, each in a process of its own.")


class IngestSettings(BaseSettings):
    """All that ingest needs to know."""

    model_config = SettingsConfigDict(env_prefix="TRANSOM_", env_nested_delimiter="__", extra="forbid", frozen=True)

    home: Path = Field(default_factory=default_home, exclude=True, description="The folder of all state.")
    storage: StorageSettings = StorageSettings()
    embedding: EmbeddingSettings = EmbeddingSettings()
    chunking: ChunkingSettings = ChunkingSettings()
    reading: ReadingSettings = ReadingSettings()

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Arguments, then the environment, then the file in TRANSOM_HOME."""
        file = TomlConfigSettingsSource(settings_cls, default_home() / "transom.toml")
        return init_settings, env_settings, file

    @classmethod
    def load(cls, **values: Any) -> Self:
        """The settings in force; raises :class:`SettingsError` that names each fault."""
        try:
            return cls(**values)
        except ValidationError as error:
            faults = "; ".join(f"{'.'.join(map(str, fault['loc']))}: {fault['msg']}" for fault in error.errors())
            raise SettingsError(f"These settings cannot be: {faults}", _WHERE) from error
        except ValueError as error:
            raise SettingsError(f"The settings file cannot be read: {error}", _WHERE) from error


_WHERE = "Settings come from transom.toml in TRANSOM_HOME and from TRANSOM_* variables; see docs/settings.md."
