"""What a document is: how it is read, cut, embedded, stored and found again."""
