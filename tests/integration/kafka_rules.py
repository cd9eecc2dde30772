"""Access rules for a test's own broker: start it with AUTHORIZER, then forbid what the test needs."""

from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.protocol.admin import CreateAclsRequest

# Everyone may do everything that no rule forbids.
AUTHORIZER = {
    "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
    "allow.everyone.if.no.acl.found": "true",
}
TOPIC, LITERAL, READ, WRITE, DENY, ALLOW = 2, 3, 3, 4, 2, 3


async def forbid_writing(bootstrap_servers: str, topic: str) -> None:
    """Let nobody write to the topic from now on, nor see it: what has a rule is closed but for its rules."""
    await _rule(bootstrap_servers, topic, WRITE, DENY)


async def allow_reading(bootstrap_servers: str, topic: str) -> None:
    """Let everybody see the topic and read it."""
    await _rule(bootstrap_servers, topic, READ, ALLOW)


async def _rule(bootstrap_servers: str, topic: str, operation: int, permission: int) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap_servers)
    await admin.start()
    try:
        rule = CreateAclsRequest(TOPIC, topic, LITERAL, "User:ANONYMOUS", "*", operation, permission)
        answer = (await admin._send_to_controller(rule)).to_object()
        assert [each["error_code"] for each in answer["creation_responses"]] == [0], answer
    finally:
        await admin.close()
