"""The settings that a running chat works with, which need not be those that were written since."""

from collections.abc import Callable

from app.settings import Settings


class InForce:
    """Holds them; `announce` is told when they change."""

    def __init__(self, settings: Settings, announce: Callable[[Settings], object] = lambda _: None) -> None:
        self.settings = settings
        self._named = settings.model.lora != Settings.load().model.lora
        """Whether the adapters were named on the command line: these stay."""
        self._announce = announce

    def take_up(self, written: Settings) -> None:
        """Takes from the written settings what can change while the chat runs: the model and how it answers."""
        lora = self.settings.model.lora if self._named else written.model.lora
        model = written.model.model_copy(update={"lora": lora})
        changed = {"model": model, "window": written.window, "answering": written.answering}
        self.settings = self.settings.model_copy(update=changed)
        self._announce(self.settings)
