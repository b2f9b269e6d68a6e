"""Questions that are about all documents, not about the best passages: what there is, what mentions something, lists.

What is counted is counted by a program: from the catalogue, or in the text of every document. Only a list of what the
documents name ("list all suppliers") takes the model, which reads every passage that could name one, part by part;
what it names counts only if a passage holds it. Every item has its source.
"""
