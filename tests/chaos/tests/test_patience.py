import unittest

from semel_chaos.stack import Failed, Stack


class Asked:
    """Answers what it is given, one after the other; fails where that is an error."""

    def __init__(self, *answers):
        self.answers = list(answers)

    def json(self, *words):
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer


class Patience(unittest.TestCase):
    def test_an_empty_list_is_an_answer(self):
        self.assertEqual(Stack.patient_json(Asked([]), "in-doubt", "list", seconds=0), [])

    def test_what_fails_is_asked_again(self):
        self.assertEqual(Stack.patient_json(Asked(Failed("the api is away"), {"id": 7}), "status"), {"id": 7})

    def test_in_the_end_it_says_what_failed(self):
        with self.assertRaises(Failed) as caught:
            Stack.patient_json(Asked(Failed("the api is away")), "status", seconds=0)
        self.assertIn("the api is away", str(caught.exception))


if __name__ == "__main__":
    unittest.main()
