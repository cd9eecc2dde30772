"""From a fetched batch to a settled job: intake, decode, admit, lanes, execute, settle, ack."""
