"""How a question is answered: retrieval, the window, the model, checked citations, and the faces of it."""
