"""What events/fetch_session.py reaches into."""

from aiokafka.client import AIOKafkaClient
from aiokafka.consumer import AIOKafkaConsumer
from aiokafka.consumer.fetcher import Fetcher
from aiokafka.protocol.fetch import FetchRequest, FetchRequest_v7, FetchRequest_v11, FetchResponse_v11

from tests.contract.stock import Stock

stock = Stock("events/fetch_session.py")


def test_the_fetcher_sends_through_its_client_one_fetch_a_node() -> None:
    stock.sets(Fetcher, "_client")
    stock.sets(AIOKafkaConsumer, "_fetcher")
    stock.takes(AIOKafkaClient.send, "node_id", "request", "group")
    stock.says(Fetcher._proc_fetch_request, "response = await self._client.send(node_id, request)")
    stock.says(Fetcher._get_actions_per_node, "elif node_id in self._in_flight:", "FetchRequest(")


def test_what_an_answer_leaves_out_is_left_alone() -> None:
    stock.says(
        Fetcher._proc_fetch_request,
        "for topic, partitions in request.topics:",
        "for topic, partitions in response.topics:",
    )


def test_a_request_is_made_of_what_we_give_it_and_has_the_fields_we_set() -> None:
    stock.takes(
        FetchRequest.__init__,
        "max_wait_time",
        "min_bytes",
        "max_bytes",
        "isolation_level",
        "topics",
        "rack_id",
    )
    stock.sets(FetchRequest, "_max_wait_ms", "_min_bytes", "_max_bytes", "_isolation_level", "_rack_id")
    for version in (FetchRequest_v7, FetchRequest_v11):
        names = {"session_id", "session_epoch", "forgotten_topics_data"}
        stock.holds(names <= set(version.SCHEMA.names), f"{version.__name__} names its session otherwise")
    stock.holds({"error_code", "session_id"} <= set(FetchResponse_v11.SCHEMA.names), "answers changed")
