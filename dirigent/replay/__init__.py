"""Play a file of events and commands through the public interface."""
