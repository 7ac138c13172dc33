import base64
import unittest
from email.header import Header

from semel_chaos.gateways import marked


def kept(data):
    return base64.b64encode(data)


class Marks(unittest.TestCase):
    def test_a_mail_says_it_in_its_subject(self):
        for subject, is_test in (("[TEST] Notice", True), ("Notice", False), ("[TEST] 안내", True), ("안내", False)):
            mail = b"Subject: " + Header(subject, "utf-8").encode().encode() + b"\r\n\r\nThis is a TEST of nothing.\r\n"
            self.assertEqual(marked("smtp", kept(mail)), is_test, subject)

    def test_an_sms_says_it_in_either_alphabet(self):
        self.assertTrue(marked("smpp", kept(b"\x1b<TEST\x1b> Notice")))
        self.assertTrue(marked("smpp", kept(b"\x05\x00\x03\x01\x02\x01" + "[TEST] 안내".encode("utf-16-be"))))
        self.assertFalse(marked("smpp", kept("안내".encode("utf-16-be"))))

    def test_what_was_not_kept_says_nothing(self):
        self.assertIsNone(marked("smtp", None))


if __name__ == "__main__":
    unittest.main()
