import json
import tempfile
import unittest
from pathlib import Path

from semel_chaos.gateways import Tails, read_accepted


class Files(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.file = Path(self.folder.name) / "smpp-2775.jsonl"
        self.addCleanup(self.folder.cleanup)

    def write(self, *entries, tail=""):
        with open(self.file, "a") as out:
            out.write("".join(json.dumps(e) + "\n" for e in entries) + tail)

    def entry(self, **fields):
        return {"time_us": 5, "kind": "smpp", "address": "+821031400001", "gateway_message_id": "1a", "sha256": "00", **fields}

    def test_reads_the_parts_of_an_sms(self):
        self.write(self.entry(part=2, parts=3), self.entry(part=1, parts=1))
        self.assertEqual([(a["part"], a["parts"], a["address"]) for a in read_accepted("smsc-a", self.file)],
                         [(2, 3, "+821031400001"), (1, 1, "+821031400001")])

    def test_brings_addresses_to_the_spelling_of_the_audience(self):
        for name, given, expected in (("relay-a", "A@B.example", "a@b.example"), ("apns", "AB12", "apns:ab12"),
                                      ("fcm", "AbC", "fcm:AbC"), ("smsc-a", "8210", "+8210")):
            self.file.unlink(missing_ok=True)
            self.write(self.entry(address=given))
            self.assertEqual(next(read_accepted(name, self.file))["address"], expected)

    def test_a_file_that_does_not_exist_yet_is_empty(self):
        self.assertEqual(list(read_accepted("smsc-a", self.file)), [])
        self.assertEqual(Tails().count(self.file), 0)

    def test_counts_messages_as_they_come_and_not_their_parts(self):
        tails = Tails()
        self.write(self.entry(part=1, parts=2), self.entry(part=2, parts=2), tail='{"half":')
        self.assertEqual(tails.count(self.file), 1)
        self.write(tail='1,"part": 1}\n')
        self.assertEqual(tails.count(self.file), 2)
        self.assertEqual(tails.count(self.file), 2)


if __name__ == "__main__":
    unittest.main()
