"""Texts for the model, one Markdown file each: front matter (id, version), then the text with $variables."""
