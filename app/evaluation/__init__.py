"""How well documents are found, and questions answered: measured on anybody's own folder of documents and questions."""
