"""What the other tests here take for given of the database: a command that was killed is there whole or not at all."""

import contextlib
import tempfile
import threading
import time

import pymongo

from support import servers

MANY = 500  # in one command: less than the most that one may carry


def test_what_is_killed_in_the_middle_is_there_whole_or_not_at_all():
    with tempfile.TemporaryDirectory(prefix="payam-test-") as folder:
        database = servers.MongoServer(f"{folder}/mongo.h2").start()
        with pymongo.MongoClient(database.url) as client:
            client["test"]["log"].create_index("place", unique=True)
        many = [{"place": number} for number in range(MANY)]
        acknowledged = {"log": 0, "small": 0}

        def write(collection, documents):
            with contextlib.suppress(pymongo.errors.PyMongoError), pymongo.MongoClient(database.url, serverSelectionTimeoutMS=500) as client:
                for round_ in range(1_000_000):
                    client["test"][collection].insert_many([{"place": f"{round_}.{document['place']}"} for document in documents])
                    acknowledged[collection] += len(documents)

        writers = [threading.Thread(target=write, args=arguments) for arguments in (("log", many), ("small", many[:1]))]
        for writer in writers:
            writer.start()
        time.sleep(1)
        database.kill()
        for writer in writers:
            writer.join()
        database.start()
        try:
            with pymongo.MongoClient(database.url) as client:
                log = client["test"]["log"]
                documents = list(log.find({}))
                assert len(documents) in (acknowledged["log"], acknowledged["log"] + MANY)
                assert client["test"]["small"].count_documents({}) >= acknowledged["small"] > 0
                assert all(log.find_one({"place": document["place"]}) == document for document in documents[-MANY:])
        finally:
            database.kill()
