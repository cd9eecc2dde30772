"""Every error of this package. Each message says what happened, where, and what to do.

EventsError
├── InvalidSettings        a HEADRACE_* variable cannot be used; fix the environment
├── BrokerUnreachable      no Kafka answers at the address; start it or correct the address
├── LocalBrokerError       the broker for development and tests
│   ├── ToolMissing        no Docker engine, Java or Maven; install one of them
│   ├── JarsUnavailable    Maven could not fetch Kafka
│   ├── PortInUse          another program listens on the port; choose another
│   └── BrokerNotStarted   it ended or stayed silent; its own log says why
├── TopicsError            topics are not as the work needs them
│   ├── TopicRefused       a change that would lose or mix up data; the message holds the command
│   └── TopicNotCreated    Kafka said no to a change
├── Undecodable            a record that is no CloudEvent; set aside with its bytes, never retried
├── JobError               a job has no result to give
│   ├── NoSuchJob          nothing is known of it
│   ├── ResultNotKept      it completed, and its result was too large or no JSON
│   └── JobNotCompleted    it finished otherwise
│       ├── JobFailed      it was given up after its tries; its dead letter has all about it
│       ├── JobCancelled   somebody cancelled it
│       ├── JobExpired     its deadline passed before it completed
│       └── JobDiscarded   its handler dropped it
└── PublishError           an event did not reach Kafka; nothing of it is stored
    ├── EventTooLarge      larger than the topic or the client takes; never retried
    ├── UnknownTopic       no such topic; `headrace topics apply` creates it
    ├── NotAuthorised      Kafka's rules forbid it to this user
    └── BrokerDown         not acknowledged in time; the event may be sent again
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from events.job_status import JobStatus


class EventsError(Exception):
    """Root of what goes wrong between us and Kafka."""


class InvalidSettings(EventsError):
    """A setting is missing or wrong. Names the variable and its value."""


class BrokerUnreachable(EventsError):
    """No Kafka answers at the address given."""


class LocalBrokerError(EventsError):
    """The local broker cannot do what was asked."""


class ToolMissing(LocalBrokerError):
    """Neither a Docker engine nor Java 17 with Maven is on this machine."""


class JarsUnavailable(LocalBrokerError):
    """Maven could not fetch Kafka's jars. Holds Maven's own last lines."""


class PortInUse(LocalBrokerError):
    """Another program listens on the port wanted."""


class BrokerNotStarted(LocalBrokerError):
    """The broker ended, or gave no metadata in time. Holds the end of its log."""


class TopicsError(EventsError):
    """Topics are not as the work needs them."""


class TopicRefused(TopicsError):
    """A change that would lose data or part state from its source. Nothing was changed."""


class TopicNotCreated(TopicsError):
    """Kafka refused to create or change a topic."""


class Undecodable(EventsError):
    """A record cannot be read as an event. The message says which part of it is wrong."""


class JobError(EventsError):
    """A job has no result to give."""


class NoSuchJob(JobError):
    """Nothing is known of a job: nobody took it yet, or it is forgotten since."""


class ResultNotKept(JobError):
    """The job completed, but its result could not be kept. Says why."""


class JobNotCompleted(JobError):
    """The job finished without completing; `status` is all that is known of it."""

    def __init__(self, message: str, *, status: "JobStatus | None" = None) -> None:
        super().__init__(message)
        self.status = status


class JobFailed(JobNotCompleted):
    """The job was given up after its tries. Holds the recorded error."""


class JobCancelled(JobNotCompleted):
    """Somebody cancelled the job. Holds the reason."""


class JobExpired(JobNotCompleted):
    """The job's deadline passed before it completed."""


class JobDiscarded(JobNotCompleted):
    """The job's handler dropped it. Holds the reason."""


class PublishError(EventsError):
    """An event did not reach Kafka."""


class EventTooLarge(PublishError):
    """The record is larger than allowed; sending it again cannot help."""


class UnknownTopic(PublishError):
    """The topic does not exist, and Kafka is not asked to make one up."""


class NotAuthorised(PublishError):
    """Kafka's access rules forbid this user the topic."""


class BrokerDown(PublishError):
    """Kafka did not acknowledge in time. The event may or may not be stored."""
