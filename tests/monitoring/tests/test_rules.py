"""Which mistakes tests/monitoring/rules makes, without Prometheus."""

import importlib.machinery
import importlib.util
import pathlib
import unittest

FILE = pathlib.Path(__file__).resolve().parents[1] / "rules"
loader = importlib.machinery.SourceFileLoader("rules", str(FILE))
rules = importlib.util.module_from_spec(importlib.util.spec_from_loader("rules", loader))
loader.exec_module(rules)


class Mistakes(unittest.TestCase):
    def made(self, expr):
        return dict(rules.broken(expr))

    def test_are_made_in_comparisons_and_thresholds(self):
        made = self.made("sum by (service) (x) > 10")
        self.assertEqual(made["<= for >"], "sum by (service) (x) <= 10")
        self.assertEqual(made["20 for 10"], "sum by (service) (x) > 20")
        self.assertEqual(made["5 for 10"], "sum by (service) (x) > 5")
        self.assertEqual(made["without by (service)"], "sum (x) > 10")

    def test_are_made_in_times(self):
        made = self.made("increase(x[10m] offset 2h) > 0")
        self.assertEqual(made["1800s for 10m"], "increase(x[1800s] offset 2h) > 0")
        self.assertEqual(made["21600s for 2h"], "increase(x[10m] offset 21600s) > 0")
        self.assertEqual(made["without offset 2h"], "increase(x[10m]) > 0")

    def test_are_made_in_matchers(self):
        made = self.made('x{a="1",b="2"} == 0')
        self.assertEqual(made['without the matcher a="1"'], 'x{b="2"} == 0')
        self.assertEqual(self.made('x{a="1"} == 0')['without the matcher a="1"'], "x == 0")

    def test_are_made_in_what_joins(self):
        made = self.made("x\n  or\ny\n  unless\nz\n")
        self.assertEqual(made["without alternative 1"], "y\n  unless\nz\n")
        self.assertEqual(made["without alternative 2"], "x")
        self.assertEqual(made["and for unless"], "x\n  or\ny\n  and\nz\n")

    def test_are_made_in_the_time_it_waits_and_in_whom_it_wakes(self):
        made = dict(rules.mistakes({"alert": "A", "expr": "x", "for": "5m", "labels": {"severity": "page"}}))
        self.assertNotIn("for", made["without for"])
        self.assertEqual(made["for: 600s"]["for"], "600s")
        self.assertEqual(made["severity: ticket"]["labels"], {"severity": "ticket"})

    def test_are_made_in_every_rule_that_there_is(self):
        for rule in rules.alerts(rules.yaml.safe_load(rules.RULES.read_text())):
            self.assertGreater(len(list(rules.mistakes(rule))), 2, rule["alert"])

    def test_a_case_is_asked_for_each_alert(self):
        looks = [{"alertname": "A", "exp_alerts": [{}]}, {"alertname": "B", "exp_alerts": []}]
        said = list(rules.incomplete([{"alert": "A"}, {"alert": "C"}], {"tests": [{"alert_rule_test": looks}]}))
        self.assertEqual(len(said), 4)


if __name__ == "__main__":
    unittest.main()
