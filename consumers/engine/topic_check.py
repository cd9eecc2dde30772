"""Topics before work: created when that is allowed, refused when jobs of them would never run."""

import dataclasses

from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from consumers.settings import WorkerSettings
from events.topics import Source, plan


async def prepare_topics(
    settings: WorkerSettings, sources: tuple[Source, ...], *, create: bool
) -> tuple[Source, ...]:
    admin = AIOKafkaAdminClient(bootstrap_servers=settings.bootstrap_servers)
    await admin.start()
    try:
        there = set(await admin.list_topics())
        specs = plan(settings.app_id, sources, settings)
        new = [
            NewTopic(s.name, s.partitions, s.replication_factor, topic_configs=dict(s.config))
            for s in specs
            if s.name not in there
        ]
        if new:
            await admin.create_topics(new)
        described = await admin.describe_topics()
        counts = {t["topic"]: len(t["partitions"]) for t in described}
        return tuple(dataclasses.replace(s, partitions=counts[s.topics[0]]) for s in sources)
    finally:
        await admin.close()
