"""The read model: what the state topics say of every job, kept in RocksDB and answered at once.

`ingest` follows the topics, in a process or a thread of its own; `batch` folds their records into the
`store`, and `reader` answers. Whatever is here can be deleted: it is read again from Kafka.
"""
