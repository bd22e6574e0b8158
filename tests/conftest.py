import os

import pytest

from support.client import Person


@pytest.fixture(scope="session")
def url():
    """The server that tests/run has started."""
    return os.environ["PAYAM_URL"]


@pytest.fixture
def arrive(url):
    return lambda name="user": Person(url, name)
