"""What tests/one runs for which filter, and which servers it starts for it; without a build and without a server."""

import importlib.machinery
import importlib.util
import pathlib
import unittest

FILE = pathlib.Path(__file__).resolve().parents[2] / "one"
loader = importlib.machinery.SourceFileLoader("one", str(FILE))
one = importlib.util.module_from_spec(importlib.util.spec_from_loader("one", loader))
loader.exec_module(one)


class Filter(unittest.TestCase):
    def test_names_what_googletest_would_run(self):
        self.assertTrue(one.named("Window.*", "Window", "SkipsNothing"))
        self.assertTrue(one.named("A.b:Window.Skips*", "Window", "SkipsNothing"))
        self.assertFalse(one.named("Window", "Window", "SkipsNothing"))
        self.assertFalse(one.named("*-Window.*", "Window", "SkipsNothing"))

    def test_finds_instances_by_the_name_of_their_suite(self):
        self.assertEqual(one.with_instances("A.*-A.b"), "A.*:*/A.*/*-A.b:*/A.b/*")
        self.assertTrue(one.named("AtEveryStep/A.*", "A", "b"))
        self.assertEqual(one.with_instances("AtEveryStep/A.*"), "AtEveryStep/A.*")


class Servers(unittest.TestCase):
    def asked_for(self, file):
        return one.asked_for(one.ROOT / file)

    def test_are_those_that_a_test_asks_for_by_any_way(self):
        self.assertEqual(self.asked_for("common/delivery/tests/window_test.cpp"), set())
        self.assertEqual(self.asked_for("common/delivery/tests/crash_test.cpp"), {"kafka"})  # by its stage
        self.assertEqual(self.asked_for("services/ledger/tests/store_test.cpp"), {"postgres"})
        self.assertEqual(self.asked_for("services/ledger/tests/service_test.cpp"), {"kafka", "postgres"})

    def test_are_told_by_what_deploy_backing_prints(self):
        printed = "export SEMEL_TEST_KAFKA=127.0.0.1:1\nexport SEMEL_TEST_POSTGRES='postgresql://a?b=c'"
        self.assertEqual(one.exported(printed),
                         {"SEMEL_TEST_KAFKA": "127.0.0.1:1", "SEMEL_TEST_POSTGRES": "postgresql://a?b=c"})


class Sanitizers(unittest.TestCase):
    def test_speak_to_the_terminal(self):
        self.assertNotIn("log_path", "".join(one.environment("asan").values()))
        self.assertIn("suppressions=", one.environment("asan")["LSAN_OPTIONS"])


if __name__ == "__main__":
    unittest.main()
