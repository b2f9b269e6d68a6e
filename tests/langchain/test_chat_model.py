"""The chat model is what LangChain calls one: with a script, and with a real model."""

from functools import cache
from typing import Any, cast

import pytest
from langchain_core.messages import AIMessage
from langchain_tests.integration_tests import ChatModelIntegrationTests
from langchain_tests.unit_tests import ChatModelUnitTests

from app.llm.chat_model import ChatTransom
from app.llm.engine import Engine
from app.llm.runtime import Context, LlamaRuntime
from tests.conftest import STARTER
from tests.fakes import ScriptedRuntime

_WORDS = 12
"""Tokens of an answer: the suite looks at how it comes, not at what it says."""


@cache
def starter() -> Engine:
    """The starter, loaded once for all tests."""
    return Engine(LlamaRuntime(STARTER, Context(window=1024)))


class TestMadeAsLangChainWants(ChatModelUnitTests):
    @property
    def chat_model_class(self) -> type[ChatTransom]:
        return ChatTransom

    @property
    def chat_model_params(self) -> dict[str, Any]:
        return {"engine": Engine(ScriptedRuntime())}


@pytest.mark.model
@pytest.mark.usefixtures("starter_model")
class TestAnswersAsLangChainWants(ChatModelIntegrationTests):
    @property
    def chat_model_class(self) -> type[ChatTransom]:
        return ChatTransom

    @property
    def chat_model_params(self) -> dict[str, Any]:
        return {"engine": starter(), "model_name": "starter", "max_tokens": _WORDS}

    @property
    def supported_usage_metadata_details(self) -> Any:
        return {"invoke": ["cache_read_input"], "stream": ["cache_read_input"]}

    def invoke_with_cache_read_input(self, *, stream: bool = False) -> AIMessage:
        model = ChatTransom(**self.chat_model_params)
        if not stream:
            return model.invoke("Hello")
        whole, *rest = model.stream("Hello")
        for chunk in rest:
            whole += chunk
        return cast("AIMessage", whole)
