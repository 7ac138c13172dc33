import unittest

from semel_chaos import protobuf


class Protobuf(unittest.TestCase):
    def test_reads_the_encoding_guide_examples(self):
        self.assertEqual(protobuf.fields(bytes.fromhex("089601")), {1: [150]})
        self.assertEqual(protobuf.fields(bytes.fromhex("120774657374696e67")), {2: [b"testing"]})
        self.assertEqual(protobuf.fields(bytes.fromhex("1a03089601")), {3: [bytes.fromhex("089601")]})

    def test_keeps_repeated_fields_in_order(self):
        self.assertEqual(protobuf.fields(bytes.fromhex("0a016109010000000000000" "00a0162")),
                         {1: [b"a", bytes([1, 0, 0, 0, 0, 0, 0, 0]), b"b"]})

    def test_reads_negative_numbers(self):
        self.assertEqual(protobuf.signed(protobuf.fields(b"\x08" + b"\xff" * 9 + b"\x01")[1][0]), -1)

    def test_refuses_what_is_cut(self):
        for cut in ("08", "0896", "1207746573", "09000000"):
            with self.assertRaises(protobuf.Malformed):
                protobuf.fields(bytes.fromhex(cut))


if __name__ == "__main__":
    unittest.main()
