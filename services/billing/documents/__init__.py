"""Every format of an issued document: each is made from the stored document and nothing else, so that all say the same."""
