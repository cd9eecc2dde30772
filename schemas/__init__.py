"""What an event, a job and a state record *are*: values and their bytes, no I/O."""
