"""The demo county as data: Västra Götalandsregionen's hospitals and 49 municipalities with identifiers marked as demo values."""
