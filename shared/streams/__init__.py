"""How facts travel: outbox, sequencer, feeds, queue, consumer, repair."""
