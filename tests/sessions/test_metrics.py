"""What a monitor is told, in numbers that only this test changes."""

from sessions import metrics
from tests.monitor import Numbers


def now():
    return Numbers(metrics.text().decode())


def test_a_conversation_counts_while_it_is_held():
    before = now()
    with metrics.conversing():
        during = now()
    after = now()
    active = [each.one("avatar_conversations_active") for each in (before, during, after)]
    begun = [each.one("avatar_conversations_total") for each in (before, during, after)]
    assert active == [active[0], active[0] + 1, active[0]]
    assert begun == [begun[0], begun[0] + 1, begun[0] + 1]


def test_each_step_of_an_answer_is_a_latency_of_its_own():
    before = now().one("avatar_step_seconds_count", step="answer")
    metrics.answered({"testing": 0.4}, 1.7)
    told = now()
    assert told.one("avatar_step_seconds_count", step="testing") == 1
    assert told.one("avatar_step_seconds_sum", step="testing") == 0.4
    buckets = [
        told.one("avatar_step_seconds_bucket", step="testing", le=le) for le in ("0.3", "0.5")
    ]
    assert buckets == [0, 1]
    metrics.answered({"testing": 0.4}, None)
    assert now().one("avatar_step_seconds_count", step="answer") == before + 1


def test_failures_are_told_apart_by_their_cause():
    for cause in ("refused the key", "refused the key", "cannot be reached"):
        metrics.failed("mind", "testing", cause)
    told = now().all("avatar_failures_total")
    of_the_mind = {each["cause"]: count for each, count in told if each["part"] == "testing"}
    assert of_the_mind == {"refused the key": 2, "cannot be reached": 1}


def test_pictures_that_are_late_are_counted_among_all():
    before = now()
    for late in (False, True, False):
        metrics.pictured(late=late)
    names = ("avatar_pictures_total", "avatar_pictures_late_total")
    assert [now().one(name) - before.one(name) for name in names] == [3, 1]


def test_faces_are_told_apart_by_their_pace():
    metrics.drawn_now({"25": 2, "1": 1})
    metrics.drawn_now({"25": 3, "1": 0})
    drawn = {each["pace"]: count for each, count in now().all("avatar_faces_drawn")}
    assert {pace for pace, count in drawn.items() if count} == {"25"}
    assert (drawn["25"], drawn["1"]) == (3, 0)


def test_what_conversations_cost_is_added_up():
    before = now().one("avatar_spend_dollars_total")
    metrics.spent(0.5)
    metrics.spent(0.25)
    assert now().one("avatar_spend_dollars_total") == before + 0.75


def test_what_is_not_known_to_be_open_is_not_told():
    metrics.open_now({("testing", "left"): 2})
    assert now().all("avatar_paid_open") == [({"kind": "testing", "whose": "left"}, 2)]
    metrics.open_now({})
    assert now().all("avatar_paid_open") == []


def test_the_memory_of_the_process_is_told():
    assert now().one("process_resident_memory_bytes") > 1e6
