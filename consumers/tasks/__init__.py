"""Tasks that come with Headrace, each an example of its kind. Loaded by
HEADRACE_TASK_MODULES=consumers.tasks.

mail, web, airlines, delays      send a mail, call an API, tell an airline, tell passengers
counting, report                 facts per day and carrier, and the day's report of them
manifest, cleanup                check a file in chunks, remove files by age
"""

from consumers.tasks.airlines import call_airline
from consumers.tasks.cleanup import cleanup_files
from consumers.tasks.counting import count_flight
from consumers.tasks.delays import notify_delay
from consumers.tasks.mail import send_email
from consumers.tasks.manifest import process_chunk, process_file
from consumers.tasks.report import write_report
from consumers.tasks.web import call_api

__all__ = [
    "call_airline",
    "call_api",
    "cleanup_files",
    "count_flight",
    "notify_delay",
    "process_chunk",
    "process_file",
    "send_email",
    "write_report",
]
