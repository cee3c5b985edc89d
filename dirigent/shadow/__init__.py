"""The shadow run (skuggdrift): a month of today's service, from a file, held against our own."""
