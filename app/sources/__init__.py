"""What stands behind a citation, to be looked at: the page of a PDF with the cited words marked, or the text."""
