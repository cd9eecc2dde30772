"""`overrides` reach the broker: access rules that forbid one topic, and logins that are checked."""

from aiokafka import AIOKafkaProducer
from aiokafka.admin import NewTopic
from aiokafka.errors import TopicAuthorizationFailedError

from events.broker.ready import answers
from events.provision import connected
from events.settings import ClientSettings
from tests.integration.conftest import OwnBroker
from tests.integration.kafka_rules import AUTHORIZER, forbid_writing
from tests.waiting import until

LOGIN = "org.apache.kafka.common.security.plain.PlainLoginModule required"
WITH_LOGINS = {
    "listener.security.protocol.map": "PLAINTEXT:SASL_PLAINTEXT,CONTROLLER:PLAINTEXT",
    "inter.broker.listener.name": "PLAINTEXT",
    "sasl.enabled.mechanisms": "PLAIN",
    "sasl.mechanism.inter.broker.protocol": "PLAIN",
    "listener.name.plaintext.plain.sasl.jaas.config": (
        f'{LOGIN} username="mill" password="wheel" user_mill="wheel";'
    ),
}


async def test_a_forbidden_topic_refuses_records(own_broker: OwnBroker) -> None:
    broker = own_broker(overrides=AUTHORIZER)
    settings = ClientSettings(bootstrap_servers=broker.bootstrap_servers)
    async with connected(settings) as admin:
        await admin.create_topics([NewTopic("open", 1, 1), NewTopic("forbidden", 1, 1)])
    await forbid_writing(broker.bootstrap_servers, "forbidden")

    async with AIOKafkaProducer(bootstrap_servers=broker.bootstrap_servers) as producer:

        async def refused() -> bool:
            try:
                await producer.send_and_wait("forbidden", b"x")
            except TopicAuthorizationFailedError:
                return True
            return False

        await until(refused, saying="the rule is in force")
        await producer.send_and_wait("open", b"x")


async def test_settings_log_in(own_broker: OwnBroker) -> None:
    settings = ClientSettings(security_protocol="SASL_PLAINTEXT", sasl_username="mill", sasl_password="wheel")
    broker = own_broker(overrides=WITH_LOGINS, client_arguments=settings.kafka_arguments())
    assert broker.status().state == "running"
    wrong = settings.kafka_arguments() | {"sasl_plain_password": "guess"}
    assert not answers(broker.bootstrap_servers, arguments=wrong)
