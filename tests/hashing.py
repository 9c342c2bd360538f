"""Passwords as the bank keeps them, with as little work as Argon2 takes: tests make many people."""

from django.contrib.auth.hashers import Argon2PasswordHasher


class QuickArgon2(Argon2PasswordHasher):
    """Argon2id, quickly."""

    time_cost = 1
    memory_cost = 8
    parallelism = 1
