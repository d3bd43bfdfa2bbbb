"""What all visitors share is computed once, and no visitor's message makes anybody wait for it."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
import streamlit as st

from pages.components.shared.cache import cached, same


def counting(most=64):
    calls = []

    @cached(same, most=most)
    def doubled(number):
        calls.append(number)
        if number < 0:
            raise ValueError(number)
        return [2 * number]

    return doubled, calls


def test_a_value_is_computed_once_whoever_asks_and_whatever_a_browser_sends():
    doubled, calls = counting()
    ready = threading.Barrier(8)

    def ask(_):
        ready.wait()
        return doubled(21)

    with ThreadPoolExecutor(8) as threads:
        found = list(threads.map(ask, range(8)))
    st.cache_data.clear()  # the message "clear_cache" does both
    st.cache_resource.clear()
    assert calls == [21] and all(each is doubled(21) for each in found)


def test_errors_are_not_kept_and_the_oldest_makes_room():
    doubled, calls = counting(most=2)
    for _ in range(2):
        with pytest.raises(ValueError):
            doubled(-1)
    assert calls == [-1, -1]
    for number in (1, 2, 1, 3, 1, 2):  # 3 takes the place of 2, which was used before 1
        assert doubled(number) == [2 * number]
    assert calls[2:] == [1, 2, 3, 2]
