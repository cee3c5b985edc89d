"""Taking over what another service or a spreadsheet knows: files read, rehearsed, entered, and every row that was left out told."""
