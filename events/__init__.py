"""Getting events onto and off Kafka, and what we say about them."""
