"""What these suites share with the other tests."""

from tests.conftest import embedder, home, starter_model

__all__ = ["embedder", "home", "starter_model"]
