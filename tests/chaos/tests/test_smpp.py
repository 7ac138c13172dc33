import unittest

from semel_chaos.smpp import DELIVER, DELIVER_RESPONSE, HEADER, OURS, SUBMIT, SUBMIT_RESPONSE, Speech, framed

NUMBER, SOURCE = b"\x01\x01821031234567\0", b"\0\x0115771577\0"


def submit(sequence):
    return framed(SUBMIT, 0, sequence, b"\0" + SOURCE + NUMBER + b"\0\0\0\0\0\x01\0\0\0\x02hi")


def answer(sequence, id=b"1795946815622691", status=0):
    return framed(SUBMIT_RESPONSE, status, sequence, id + b"\0" if status == 0 else b"")


def pdus(data):
    out = []
    while data:
        size, command, status, sequence = HEADER.unpack_from(data)
        out.append((command, status, sequence, data[HEADER.size:size]))
        data = data[size:]
    return out


class Centre(unittest.TestCase):
    def test_answers_an_id_otherwise_than_it_reports_it(self):
        for form, said in (("same", b"1795946815622691"), ("decimal", f"{1795946815622691:x}".encode()), ("padded", b"00001795946815622691")):
            speech = Speech(form, 0, 1)
            self.assertEqual(speech.heard("request", submit(7)), submit(7))
            got = pdus(speech.heard("reply", answer(7)))
            self.assertEqual([(c, s, n) for c, s, n, _ in got], [(SUBMIT_RESPONSE, 0, 7)])
            self.assertEqual(got[0][3], said + b"\0")

    def test_a_refusal_stays_as_it_is(self):
        speech = Speech("decimal", 1, 1)
        speech.heard("request", submit(7))
        self.assertEqual(speech.heard("reply", answer(7, status=0x58)), answer(7, status=0x58))

    def test_waits_for_the_end_of_what_comes_in_pieces(self):
        speech, data = Speech("padded", 0, 1), answer(3) + answer(4)
        out = b"".join(speech.heard("reply", data[n:n + 5]) for n in range(0, len(data), 5))
        self.assertEqual([n for _, _, n, _ in pdus(out)], [3, 4])

    def test_reports_somebody_elses_message_to_the_same_number_and_keeps_the_answer(self):
        speech = Speech("same", 1, 1)
        speech.heard("request", submit(7))
        _, stray = pdus(speech.heard("reply", answer(7)))
        self.assertEqual((stray[0], stray[2]), (DELIVER, OURS + 1))
        self.assertIn(NUMBER + SOURCE, stray[3])
        self.assertIn(b"id:other-", stray[3])
        self.assertEqual(speech.heard("request", framed(DELIVER_RESPONSE, 0, OURS + 1, b"\0")), b"")
        own = framed(DELIVER_RESPONSE, 0, 1, b"\0")
        self.assertEqual(speech.heard("request", own), own)


if __name__ == "__main__":
    unittest.main()
