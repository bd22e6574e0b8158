"""JSON objects whose keys meet in one bucket of Boost.JSON's table (FNV-1a, 64 bits, started from a salt that is the table's address; the bucket is
the hash modulo a prime). Keys that are equal under one start value are often so under another: about a fifth of the pairs, so keys are taken that collide under several."""

import functools
import itertools

PRIME, MASK = 0x100000001B3, (1 << 64) - 1
OFFSET = 0xCBF29CE484222325
LETTERS = b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"


def hash_of(key, salt=0):
    value = OFFSET ^ salt
    for byte in key:
        value = ((value ^ byte) * PRIME) & MASK
    return value


@functools.cache
def keys(count, buckets):
    """`count` keys of one bucket of a table with so many."""
    found = []
    for length in range(2, 6):
        for letters in itertools.product(LETTERS, repeat=length):
            key = bytes(letters)
            if hash_of(key) % buckets == 0:
                found.append(key)
                if len(found) == count:
                    return found
    return found


def text(members):
    return b"{" + b",".join(b'"' + key + b'":0' for key in members) + b"}"


def one_object(size):
    """One object of about `size` bytes; for a table of as many buckets as its keys, of which a few hundred share each."""
    count = size // 9
    chosen = keys(2_000, 53)
    rest = (b"%x" % number for number in itertools.count())
    return text([*chosen, *itertools.islice(rest, count - len(chosen))])


def many_objects(size, members):
    """An array of objects of so many members, all in one bucket of a small table."""
    one = text(keys(members, 53))
    return b"[" + b",".join([one] * (size // (len(one) + 1))) + b"]"
