"""`make bench`: Headrace and its peers side by side, in one run, each as one worker process."""
