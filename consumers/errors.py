"""Every error of this package. Each message says what happened, where, and what to do.

ConsumersError
├── BootError              the worker must not start; mend it and start again
│   ├── HiddenPackage      somebody's schemas, events or consumers stands before ours
│   ├── TaskModuleNotFound a name in HEADRACE_TASK_MODULES is no module
│   ├── TaskModuleFailed   a task module raised while it was imported
│   ├── InvalidTask        a task, or one of its options, cannot be used
│   ├── DuplicateTask      two tasks of one name
│   ├── InvalidSchedule    a schedule cannot be read, or two have one name
│   └── PortUnavailable    the port for metrics and health is taken
├── EventError             an event cannot be handed to a task; dead-lettered, never retried
│   ├── UndecodableEvent   its data are not what their content type says
│   └── InvalidEvent       its data do not fit the task's model, or a function of the task's options raised
├── InvalidArguments       arguments do not fit the parameters of a plain task
├── TaskTimeout            an attempt ran longer than the task's timeout; counts as a failure
├── TaskCancelled          raised in a child process: its attempt is to end, nobody wants it any more
├── WorkerLost             a child process died in the middle of an attempt; counts as a failure
└── ContextError           a handler used its context in a way that cannot be kept
    ├── StepRefused        a step's name is taken, or its result is no JSON
    ├── OutputRefused      what was published or enqueued cannot be sent
    └── OutputFailed       Kafka refused what a completed job published; the attempt counts as failed
"""


class ConsumersError(Exception):
    """Root of what goes wrong in doing jobs."""


class BootError(ConsumersError):
    """The worker must not start like this."""


class HiddenPackage(BootError):
    """A package of the user stands where one of ours must be found. Names the folder to rename."""


class TaskModuleNotFound(BootError):
    """A task module does not exist where Python looks."""


class TaskModuleFailed(BootError):
    """A task module raised while it was imported. Names the file and line that did."""


class InvalidTask(BootError):
    """A task or one of its options cannot be used. Names the file and line of the task."""


class DuplicateTask(BootError):
    """Two tasks have one name. Names both places."""


class InvalidSchedule(BootError):
    """A schedule cannot be read, or two of them have one name. Names the file and line."""


class PortUnavailable(BootError):
    """The address for metrics and health cannot be opened. Names it."""


class EventError(ConsumersError):
    """An event cannot be handed to a task. Trying again cannot help."""


class UndecodableEvent(EventError):
    """The data are not what their content type says: no JSON, broken UTF-8, nested too deep."""


class InvalidEvent(EventError):
    """The data do not fit the task. Names the fields, never their values."""


class InvalidArguments(ConsumersError):
    """Arguments do not fit the parameters of a plain task. Names the parameters, never the values."""


class TaskTimeout(ConsumersError, TimeoutError):
    """An attempt ran longer than the task's timeout."""


class TaskCancelled(ConsumersError):
    """The attempt is to end: the job was cancelled, or its worker stops. Raised inside a handler that runs in
    a child process."""


class WorkerLost(ConsumersError):
    """The process an attempt ran in died: a crash, an exit, out of memory."""


class ContextError(ConsumersError):
    """A handler used its context in a way that cannot be kept."""


class StepRefused(ContextError):
    """A step whose name is taken in this attempt, or whose result cannot be stored as JSON."""


class OutputRefused(ContextError):
    """Something published or enqueued lacks what is needed to send it."""


class OutputFailed(ContextError):
    """Kafka did not take what a job published: no such topic, too large, or not allowed."""
