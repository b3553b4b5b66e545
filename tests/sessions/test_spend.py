"""What is used, at its price: the arithmetic of a bill."""

import pytest

from sessions.spend import Bill, Stay

PRICES = {"tts_characters": 0.00005, "sandbox_minutes": 0.0}


@pytest.fixture
def clock():
    """A clock that the test moves: seconds in a list of one."""
    return [100.0]


@pytest.fixture
def stay(clock):
    return Stay("lite_minutes", clock=lambda: clock[0])


def test_a_bill_is_what_was_used_at_its_price():
    bill = Bill()
    bill.add({"tts_characters": 200}, PRICES)
    bill.add({"tts_characters": 100}, {"tts_characters": 0.0001})
    assert bill.used == {"tts_characters": 300}
    assert bill.dollars == pytest.approx(200 * 0.00005 + 100 * 0.0001)


def test_what_is_free_is_counted_and_what_has_no_price_is_not():
    bill = Bill()
    bill.add({"sandbox_minutes": 1.5, "stt_minutes": 2}, PRICES)
    bill.add({"tts_characters": 0}, PRICES)
    assert (bill.used, bill.dollars) == ({"sandbox_minutes": 1.5}, 0.0)


def test_a_bill_is_told_in_few_digits():
    bill = Bill()
    bill.add({"tts_characters": 7, "sandbox_minutes": 1 / 3}, {**PRICES, "tts_characters": 1e-7})
    told = {"dollars": 0.000001, "used": {"tts_characters": 7, "sandbox_minutes": 0.333}}
    assert bill.told == told


def test_every_minute_that_has_begun_counts_until_the_end(stay, clock):
    clock[0] = 160.0
    assert stay.minutes == 0
    stay.begin()
    assert stay.minutes == 1
    clock[0] = 219.0
    assert stay.minutes == 1
    clock[0] = 221.0
    stay.end()
    clock[0] = 400.0
    stay.end()
    assert stay.minutes == 2


def test_a_stay_that_nobody_ends_is_over_after_its_longest_time(stay, clock):
    stay.begin(longest_s=120)
    clock[0] = 1000.0
    assert stay.minutes == 2


def test_what_never_began_costs_nothing(stay, clock):
    clock[0] = 160.0
    stay.end()
    assert stay.minutes == 0
