"""The language model: llama.cpp, the window's ledger, chat templates, and what is hidden from the answer."""
