"""The peers: one file a worker, each at the settings its own documentation recommends for speed."""
