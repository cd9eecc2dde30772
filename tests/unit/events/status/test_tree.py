from events.status.tree import Node, tree_of
from schemas.job import JobState
from tests.unit.events.status.records import NOW_MS, Fed, ledger, request, retry


def shape(nodes: list[Node]) -> dict[str, object]:
    return {node.job_id: shape(node.children) for node in nodes}


def test_a_workflow_is_shown_under_who_asked(fed: Fed) -> None:
    fed.feed(
        retry("last", root="w", step="2"),
        ledger("a", root="w", step="0", enqueued_ms=NOW_MS),
        ledger("b", "failed", root="w", parent="a", step="1", enqueued_ms=NOW_MS + 1),
        request("c", ms=NOW_MS),
        ledger("d", parent="b", enqueued_ms=NOW_MS + 2),
    )
    for id in ("a", "b", "last"):
        tree = tree_of(fed.store, id, 10)
        assert tree is not None
        assert shape(tree.tops) == {"a": {"b": {"d": {}}}, "last": {}}
        assert tree.states == {JobState.RETRYING: 1, JobState.COMPLETED: 2, JobState.FAILED: 1}
        assert tree.tops[0].step == "0"
    alone = tree_of(fed.store, "c", 10)
    assert alone is not None
    assert shape(alone.tops) == {"c": {}}
    assert tree_of(fed.store, "nobody", 10) is None


def test_a_wide_one_is_cut_and_counted(fed: Fed) -> None:
    fed.feed(*(ledger(f"j{number}", root="w") for number in range(30)))
    tree = tree_of(fed.store, "j3", 10)
    assert tree is not None
    assert (len(tree.tops), tree.truncated, tree.states) == (10, True, {JobState.COMPLETED: 30})


def test_jobs_that_claim_to_have_asked_for_each_other_end_somewhere(fed: Fed) -> None:
    fed.feed(ledger("a", root="w", parent="b"), ledger("b", root="w", parent="a"), ledger("c", parent="c"))
    for id in ("a", "c"):
        tree = tree_of(fed.store, id, 10)
        assert tree is not None
        assert tree.tops
