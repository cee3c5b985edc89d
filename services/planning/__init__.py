"""Planning: cases, notices, mailboxes and plans. The only service that knows persons."""
