"""Which language model answers: the catalogue of GGUFs, the ones on disk, and how one gets here."""
