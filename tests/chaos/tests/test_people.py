import csv
import io
import unittest

from semel_chaos import people


class People(unittest.TestCase):
    def test_the_same_seed_makes_the_same_people(self):
        self.assertEqual(people.to_csv(people.make(500, 1)), people.to_csv(people.make(500, 1)))
        self.assertNotEqual(people.to_csv(people.make(500, 1)), people.to_csv(people.make(500, 2)))

    def test_the_truth_is_what_the_file_says(self):
        truth = people.make(20_000, 3)
        rows = list(csv.DictReader(io.StringIO(people.to_csv(truth), newline="")))
        self.assertEqual(len(rows), truth.rows)
        refused = [r for r in rows if r["segments"] == "no_such_segment"]
        self.assertGreater(len(refused), 0)
        for channel, column in (("email", "email"), ("sms", "phone"), ("push", "push")):
            self.assertEqual({r[column] for r in rows if r[column] and r not in refused},
                             {address for _, address in truth.on(channel)})
        seen, doubles = set(), 0
        for r in rows:
            if r not in refused:
                doubles += r["recipient_id"] in seen
                seen.add(r["recipient_id"])
        self.assertGreater(doubles, 0)
        self.assertEqual((truth.rejected, truth.repeated), (len(refused), doubles))

    def test_some_share_an_address_and_some_have_none(self):
        truth = people.make(20_000, 3)
        self.assertGreater(sum(len(rows) > 1 for rows in truth.addresses.values()), 50)
        self.assertGreater(truth.unreachable, 0)
        self.assertEqual({p.locale for p in truth.people}, {"ko", "en"})

    def test_series_have_no_address_in_common(self):
        one, other = people.make(3_000, 5, series=1), people.make(3_000, 5, series=2)
        self.assertFalse(set(one.addresses) & set(other.addresses))

    def test_every_name_and_address_bears_a_mark(self):
        for person in people.make(2_000, 5).people:
            for text in (person.name, person.email, person.sms, person.push):
                if text:
                    self.assertTrue(any(m.search(text.encode()) for m in people.MARKS), text)

    def test_other_spellings_are_recognised_too(self):
        for text in ("0103140-0001", "010-3140-0001", "821031400001", "+82 10-3140-0001", "Canary%20Quillfeather".replace("%20", "_"),
                     '"\\uae40\\uce74\\ub098\\ub9ac12"'):
            self.assertTrue(any(m.search(text.encode()) for m in people.MARKS), text)

    def test_ids_and_times_bear_no_mark(self):
        for text in ("1763993410314000", "2026-11-24T10:31:40.000103140Z", "ab10314000012", '"row":103140'):
            self.assertFalse(any(m.search(text.encode()) for m in people.MARKS), text)


if __name__ == "__main__":
    unittest.main()
