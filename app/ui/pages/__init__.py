"""The pages of the chat, one module for each: what its function `page` draws."""
