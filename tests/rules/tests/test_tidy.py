"""What tests/rules/tidy reads, in which order, and what it says when time does not suffice; without clang-tidy."""

import importlib.machinery
import importlib.util
import pathlib
import time
import unittest

FILE = pathlib.Path(__file__).resolve().parents[1] / "tidy"
loader = importlib.machinery.SourceFileLoader("tidy", str(FILE))
tidy = importlib.util.module_from_spec(importlib.util.spec_from_loader("tidy", loader))
loader.exec_module(tidy)


class Order(unittest.TestCase):
    def test_is_what_ships_first_and_of_that_what_changed_most(self):
        changed = {"common/base/tests/time_test.cpp": [[1, 900]], "common/base/time.cpp": [[7, 9]],
                   "services/api/edge/api.cpp": [[1, 30], [40, 49]], "services/gateways/behaviour.cpp": [[3, 3]]}
        self.assertEqual(tidy.sources(changed, set(changed)),
                         ["services/api/edge/api.cpp", "common/base/time.cpp", "services/gateways/behaviour.cpp",
                          "common/base/tests/time_test.cpp"])

    def test_takes_a_header_for_the_source_of_its_name(self):
        changed = {"common/base/time.hpp": [[1, 50]], "common/base/fault.hpp": [[1, 70]], "common/base/bytes.cpp": [[1, 20]]}
        self.assertEqual(tidy.sources(changed, {"common/base/time.cpp", "common/base/bytes.cpp"}),
                         ["common/base/time.cpp", "common/base/bytes.cpp"])


class Lines(unittest.TestCase):
    def test_are_those_that_a_diff_adds_or_changes(self):
        diff = ("diff --git a/x.cpp b/x.cpp\n--- a/x.cpp\n+++ b/x.cpp\n@@ -1 +1 @@ struct x\n-a\n+b\n"
                "@@ -9,2 +9,3 @@\n@@ -20,2 +22,0 @@\n+++ b/y.hpp\n@@ -5,3 +4,0 @@\n")
        self.assertEqual(tidy.ranges_in(diff), {"x.cpp": [[1, 1], [9, 11]], "y.hpp": []})

    def test_that_are_only_taken_away_are_not_asked_for(self):
        self.assertEqual(tidy.line_filter({"x.cpp": [[1, 2]], "y.hpp": []}), '[{"name": "/x.cpp", "lines": [[1, 2]]}]')


class Reading(unittest.TestCase):
    def test_tells_what_is_complained_about(self):
        said, left = tidy.read_all(["a", "b"], None, 2, lambda source, until: ("b: bad" if source == "b" else "", True))
        self.assertEqual((said, left), (["b: bad"], []))

    def test_names_what_time_did_not_suffice_for(self):
        said, left = tidy.read_all(["a", "b"], time.monotonic() - 1, 1, lambda source, until: self.fail(source))
        self.assertEqual((said, left), ([], ["a", "b"]))

    def test_ends_with_an_error_when_clang_tidy_cannot_be_started(self):
        def look(source, until):
            raise FileNotFoundError("clang-tidy-19")
        with self.assertRaises(FileNotFoundError):
            tidy.read_all(["a"], None, 2, look)

    def test_does_not_count_a_source_that_was_cut_off_as_read(self):
        _, left = tidy.read_all(["a", "b"], time.monotonic() + 60, 1, lambda source, until: ("", source == "b"))
        self.assertEqual(left, ["a"])


if __name__ == "__main__":
    unittest.main()
