"""Tests of the password policy, and of the equal cost of wrong passwords."""

import asyncio

import pytest
from passlib.hash import bcrypt

from api.auth.passwords import (
    UnacceptablePassword,
    check_password,
    hash_password,
    missing_costs,
    needs_rehash,
    verify_password,
)


@pytest.mark.parametrize(
    "password", ["a good long one", "ș" * 36, "x7 !q2 z", "correct horse battery staple"]
)
def test_strong_password_is_accepted(password: str) -> None:
    assert check_password(password) == password


@pytest.mark.parametrize(
    ("password", "reason"),
    [
        ("x7 !q2z", "7 characters"),
        ("ș" * 37, "74 bytes"),
        ("a good\x00 long one", "NUL"),
        ("password123", "common"),
        ("IloveYou", "common"),
        ("Somebody-Here", "own name"),
        ("some@example.com", "own name"),
    ],
)
def test_unacceptable_password_is_refused_with_the_reason_and_not_shown(password: str, reason: str) -> None:
    with pytest.raises(UnacceptablePassword, match=reason) as refusal:
        check_password(password, names=("somebody-here", "some@example.com"))
    assert password not in str(refusal.value)


@pytest.mark.parametrize("old", [4, 5, 6, 7])
def test_wrong_password_costs_the_same_for_an_old_hash_and_for_no_account(old: int) -> None:
    password_hash = bcrypt.using(rounds=old).hash("the right one")
    spent = 2**old + sum(2**cost for cost in missing_costs(password_hash, cost=6))
    assert spent == max(2**6, 2**old)
    assert needs_rehash(password_hash, cost=6) is (old < 6)


def test_only_the_correct_password_is_verified() -> None:
    async def verdicts() -> list[bool]:
        password_hash = await hash_password("the right one", cost=4)
        tried = ("the right one", "The right one", "the right one ", "", "x" * 73, "the right one\x00")
        return [await verify_password(each, password_hash, cost=5) for each in tried]

    assert asyncio.run(verdicts()) == [True, False, False, False, False, False]
    assert asyncio.run(verify_password("the right one", None, cost=4)) is False


def test_wrong_password_is_answered_only_after_the_missing_cost_was_spent(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    spent: list[int] = []

    async def record(password: str, *, cost: int) -> str:
        spent.append(cost)
        return password

    monkeypatch.setattr("api.auth.passwords.hash_password", record)
    old = bcrypt.using(rounds=4).hash("the right one")

    assert asyncio.run(verify_password("the right one", old, cost=6)) is True
    assert spent == []
    assert asyncio.run(verify_password("a wrong one", old, cost=6)) is False
    assert spent == list(missing_costs(old, cost=6)) != []
    spent.clear()
    assert asyncio.run(verify_password("a wrong one", None, cost=6)) is False
    assert spent == [6]
